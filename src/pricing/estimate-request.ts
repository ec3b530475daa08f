import type { ChatRequest, Tool } from '../operations/chat.ts';
import type { Message, Part, ToolResultItem } from '../operations/chat-parts.ts';
import { estimateTokens } from '../operations/estimate-tokens.ts';
import type { Source } from '../operations/shared.ts';
import { imageSize } from './image-size.ts';

export interface EstimateOptions {
  /** Counts text. @defaultValue the heuristic `estimateTokens` */
  readonly count?: (text: string) => number;
}

/** Tokens of what is not text. Vendors differ; these are on the high side of what they document (2026-11). */
const TOKENS = {
  /** Role and separators of one message. */
  message: 4,
  /** The opening of the answer, and the frame around a list of tools. */
  reply: 3,
  tool: 8,
  imageLow: 85,
  /** An image whose size cannot be seen from here. */
  imageUnknown: 1100,
  imageMax: 1600,
  pixelsPerToken: 750,
  /** A file of which only a reference is known. */
  fileUnknown: 1500,
  page: 1500,
  mediaUnknown: 1000,
  audioSecond: 32,
  videoSecond: 300,
} as const;
/** Bytes of a page of a PDF, a second of compressed audio, of raw audio, of video: common cases. */
const BYTES = { page: 50_000, audioSecond: 16_000, wavSecond: 48_000, videoSecond: 250_000 } as const;

/** Roughly how many input tokens a chat request will be charged. Never an upper bound: leave a margin. */
export function estimateRequest(request: ChatRequest, options: EstimateOptions = {}): number {
  const count = options.count ?? estimateTokens;
  let tokens: number = TOKENS.reply;
  for (const part of request.system ?? []) tokens += count(part.text) + TOKENS.message;
  for (const message of request.messages) tokens += estimateMessage(message, count);
  const tools = request.tools ?? [];
  for (const tool of tools) tokens += estimateTool(tool, count);
  if (tools.length > 0) tokens += TOKENS.reply;
  if (request.output?.type === 'schema') tokens += count(JSON.stringify(request.output.schema));
  return tokens;
}

function estimateMessage(message: Message, count: (text: string) => number): number {
  let tokens = TOKENS.message + (message.name === undefined ? 0 : count(message.name));
  for (const part of message.content) tokens += estimatePart(part, count);
  return tokens;
}

function estimateTool(tool: Tool, count: (text: string) => number): number {
  if (tool.type === 'function') {
    return TOKENS.tool + count(tool.name) + count(tool.description ?? '') + count(JSON.stringify(tool.input));
  }
  if (tool.type === 'freeform') {
    return TOKENS.tool + count(tool.name) + count(tool.description ?? '') + count(tool.grammar?.definition ?? '');
  }
  return TOKENS.tool;
}

function estimatePart(part: Part | ToolResultItem, count: (text: string) => number): number {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return count(part.text);
    case 'reasoning':
      return part.text === '' && part.sealed !== undefined ? sealedTokens(part.sealed.value) : count(part.text);
    case 'tool-call':
      return TOKENS.message + count(part.name) + count(part.argsText ?? JSON.stringify(part.args));
    case 'tool-result':
      if (typeof part.content === 'string') return TOKENS.message + count(part.content);
      return part.content.reduce<number>((sum, item) => sum + estimatePart(item, count), TOKENS.message);
    case 'json':
      return count(JSON.stringify(part.value));
    case 'image':
      return estimateImage(part.source, part.detail);
    case 'audio':
      return estimateBytes(
        part.source,
        part.mediaType?.includes('wav') ? BYTES.wavSecond : BYTES.audioSecond,
        TOKENS.audioSecond,
      );
    case 'video':
      return estimateBytes(part.source, BYTES.videoSecond, TOKENS.videoSecond);
    case 'file':
      if (part.source.kind === 'text') return count(part.source.text);
      return part.source.kind === 'base64' ? estimateBytes(part.source, BYTES.page, TOKENS.page) : TOKENS.fileUnknown;
    case 'approval-request':
      return count(JSON.stringify(part.args));
    case 'approval-response':
      return TOKENS.message;
    case 'native':
      return count(part.fallbackText ?? JSON.stringify(part.value));
  }
}

/** Encrypted thinking is about four times as long as base64 as it is in tokens. */
function sealedTokens(value: string): number {
  return Math.ceil(value.length / 4);
}

function estimateImage(source: Source, detail: string | undefined): number {
  if (detail === 'low') return TOKENS.imageLow;
  const size = source.kind === 'base64' ? imageSize(source.data) : undefined;
  if (size === undefined) return TOKENS.imageUnknown;
  const tokens = Math.ceil((size.width * size.height) / TOKENS.pixelsPerToken);
  return Math.min(TOKENS.imageMax, Math.max(TOKENS.imageLow, tokens));
}

function estimateBytes(source: Source, bytesEach: number, tokensEach: number): number {
  if (source.kind === 'text') return estimateTokens(source.text);
  if (source.kind !== 'base64') return TOKENS.mediaUnknown;
  return Math.max(1, Math.ceil((source.data.length * 3) / 4 / bytesEach)) * tokensEach;
}
