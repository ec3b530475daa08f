import { mintId, shortHash } from '../../core/replay.ts';
import type { AudioPart, OutputPart, TextPart, ToolCallPart } from '../../operations/chat-parts.ts';
import type { Json, JsonObject } from '../../operations/shared.ts';
import { annotationOf } from './citations.ts';
import { dataUrl } from './data-url.ts';
import { mergeWire, PROTOCOL } from './hints.ts';

/** How long a spoken answer may be referred to, where the provider did not say: an hour, in seconds. */
const AUDIO_KEPT_S = 3_600;

/** An id that says where it comes from: the provider's own within this protocol, else one of ours. */
export function completionId(id: string, protocol: string | undefined): string {
  return protocol === PROTOCOL && id !== '' ? id : `chatcmpl_ptn_${shortHash(id)}`;
}

/** Wall time as this protocol counts it, in seconds. */
export function createdOf(createdAt: string, nowMs: number): number {
  const createdMs = Date.parse(createdAt);
  return Math.floor((Number.isNaN(createdMs) ? nowMs : createdMs) / 1000);
}

/** Whether a call came as free text. JSON calls keep their exact text beside the arguments. */
export function isFreeformCall(part: ToolCallPart): boolean {
  return typeof part.args === 'string' && part.argsText === undefined;
}

export function callText(part: ToolCallPart): string {
  return part.argsText ?? (typeof part.args === 'string' ? part.args : JSON.stringify(part.args));
}

/** A finished call as a message holds it. */
export function wireCall(part: ToolCallPart): JsonObject {
  const text = callText(part);
  const body = isFreeformCall(part)
    ? { type: 'custom', custom: { name: part.name, input: text } }
    : { type: 'function', function: { name: part.name, arguments: text } };
  return mergeWire({ id: part.id, ...body }, part.native);
}

/** The calls an application may run: what a provider ran itself is not shown, or it would be run twice. */
export function shownCalls(content: readonly OutputPart[]): ToolCallPart[] {
  return content.filter((part): part is ToolCallPart => part.type === 'tool-call' && part.executor !== 'provider');
}

export function annotationsOf(part: TextPart, textStart: number): Json[] {
  return (part.citations ?? []).flatMap((citation) => annotationOf(citation, textStart) ?? []);
}

export function wireAudio(part: AudioPart, nowMs: number): JsonObject {
  const data = part.source.kind === 'base64' ? part.source.data : '';
  const audio = {
    id: part.id ?? mintId('audio', data),
    data,
    expires_at: Math.floor(nowMs / 1000) + AUDIO_KEPT_S,
    transcript: part.transcript ?? '',
  };
  return mergeWire(audio, part.native);
}

/** A generated image the way OpenRouter sends it; `undefined` where only its provider can read it. */
export function wireImage(part: OutputPart): JsonObject | undefined {
  if (part.type !== 'image') return undefined;
  const { source } = part;
  if (source.kind === 'url') return { type: 'image_url', image_url: { url: source.url } };
  if (source.kind !== 'base64') return undefined;
  return { type: 'image_url', image_url: { url: dataUrl(source.data, part.mediaType ?? 'image/png') } };
}
