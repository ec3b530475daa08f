import { mergeNative, recordOf } from '../../core/wire-json.ts';
import type {
  ApprovalResponsePart,
  FilePart,
  ImagePart,
  InputPart,
  ToolResultItem,
  ToolResultPart,
} from '../../operations/chat-parts.ts';
import type { Source } from '../../operations/shared.ts';
import { encodeId, encodeText, withNative } from './blocks.ts';
import { type Encoding, PROTOCOL, type Wire } from './encoding.ts';

const IMAGE_TYPES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

/** A part of a user turn as a block; `undefined` for what is left out. */
export function encodeInput(
  part: InputPart | ApprovalResponsePart,
  path: string,
  encoding: Encoding,
): Wire | undefined {
  const block = encodeBlock(part, path, encoding);
  if (block !== undefined && 'cache' in part) encoding.cache(block, part.cache, path);
  return block;
}

function encodeBlock(part: InputPart | ApprovalResponsePart, path: string, encoding: Encoding): Wire | undefined {
  switch (part.type) {
    case 'text': {
      if (part.text === '') return undefined;
      // The API refuses citations on what the user says.
      const { citations, ...plain } = part;
      if (citations !== undefined)
        encoding.lose('dropped-part', 'citations', path, 'words of the user cite nothing here');
      return encodeText(plain, path, encoding);
    }
    case 'image':
      return encodeImage(part, path, encoding);
    case 'file':
      return encodeFile(part, path, encoding);
    case 'native':
      if (part.protocol === PROTOCOL) return { ...recordOf(part.value) } as Wire;
      if (part.fallbackText !== undefined) return { type: 'text', text: part.fallbackText };
      encoding.lose('dropped-part', 'native', path, `a native block of ${part.protocol} is not sent`);
      return undefined;
    default:
      return encoding.refuse(part.type, path, 'this protocol has no such input');
  }
}

function encodeImage(part: ImagePart, path: string, encoding: Encoding): Wire {
  if (part.detail !== undefined && part.detail !== 'auto') {
    encoding.lose('unsupported', 'detail', path, 'image detail cannot be chosen');
  }
  const source = mediaSource(part.source, part.mediaType ?? 'image/png', path, encoding);
  return withNative({ type: 'image', source }, part);
}

function encodeFile(part: FilePart, path: string, encoding: Encoding): Wire {
  const title = part.title ?? part.filename;
  const mediaType = part.mediaType ?? (part.source.kind === 'text' ? 'text/plain' : 'application/pdf');
  if (IMAGE_TYPES.has(mediaType)) {
    return withNative({ type: 'image', source: mediaSource(part.source, mediaType, path, encoding) }, part);
  }
  return withNative(
    {
      type: 'document',
      source: documentSource(part.source, mediaType, path, encoding),
      ...(title !== undefined && { title }),
      ...(part.context !== undefined && { context: part.context }),
      ...(part.cite !== undefined && { citations: { enabled: part.cite } }),
    },
    part,
  );
}

function documentSource(source: Source, mediaType: string, path: string, encoding: Encoding): Wire {
  if (source.kind === 'text') return { type: 'text', media_type: 'text/plain', data: source.text };
  if (source.kind === 'base64' && mediaType.startsWith('text/')) {
    return { type: 'text', media_type: 'text/plain', data: decodeText(source.data) };
  }
  const readable = source.kind === 'file' || mediaType === 'application/pdf';
  if (!readable) return encoding.refuse(`files of type ${mediaType}`, path, 'only PDF and plain text are read');
  return mediaSource(source, mediaType, path, encoding);
}

function mediaSource(source: Source, mediaType: string, path: string, encoding: Encoding): Wire {
  switch (source.kind) {
    case 'base64':
      return { type: 'base64', media_type: mediaType, data: source.data };
    case 'file':
      return { type: 'file', file_id: source.id };
    case 'url': {
      const data = /^data:([^;,]+);base64,(.*)$/s.exec(source.url);
      return data === null
        ? { type: 'url', url: source.url }
        : { type: 'base64', media_type: data[1] ?? mediaType, data: data[2] ?? '' };
    }
    default:
      return encoding.refuse('text as an image', path, 'images come as bytes, URL or file');
  }
}

function decodeText(base64: string): string {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

/** The answer to a client call. */
export function encodeToolResult(part: ToolResultPart, path: string, encoding: Encoding): Wire {
  const content =
    typeof part.content === 'string'
      ? part.content
      : part.content.flatMap((item, index) => encodeItem(item, `${path}.content[${index}]`, encoding) ?? []);
  const block = withNative(
    {
      type: 'tool_result',
      tool_use_id: encodeId(part.callId, path, encoding),
      ...(content.length > 0 && { content }),
      ...(content.length === 0 && part.structured !== undefined && { content: JSON.stringify(part.structured) }),
      ...(part.isError !== undefined && { is_error: part.isError }),
    },
    part,
  );
  encoding.cache(block, part.cache, path);
  return block;
}

function encodeItem(item: ToolResultItem, path: string, encoding: Encoding): Wire | undefined {
  if (item.type !== 'json') return encodeInput(item, path, encoding);
  const native = item.native?.[PROTOCOL];
  return native === undefined
    ? { type: 'text', text: JSON.stringify(item.value) }
    : mergeNative<Wire>({}, item.native, PROTOCOL);
}
