import { recordOf } from '../../core/wire-json.ts';
import type { CacheHint, Json, JsonObject, Source } from '../../operations/shared.ts';
import type {
  ApprovalResponsePart,
  AudioPart,
  FilePart,
  ImagePart,
  InputPart,
  VideoPart,
} from '../../operations/chat-parts.ts';
import { dataUrl } from './data-url.ts';
import { type Hints, mergeWire, PROTOCOL } from './hints.ts';
import type { Encoding } from './request.ts';

type Part = InputPart | ApprovalResponsePart;
const AUDIO_FORMATS: Readonly<Record<string, string>> = {
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/wave': 'wav',
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
};

/** Content of a system or user message: a string where that says it all, else an array of parts. */
export function encodeContent(encoding: Encoding, content: readonly Part[], hints: Hints, path: string): Json {
  const { quirks } = encoding;
  const first = content[0];
  const single = content.length === 1 && first?.type === 'text' ? first : undefined;
  if (single !== undefined && hints.array !== true) {
    const wire = encodePart(encoding, single, `${path}.content[0]`);
    if (Object.keys(wire).length === 2) return single.text;
    return quirks.arrayContent === false ? single.text : [wire];
  }
  if (content.length === 0 && hints.array !== true) return hints.content === 'null' ? null : '';
  const parts = encodeParts(encoding, content, path);
  if (parts.length === 0 && content.length > 0) return '';
  const onlyText = parts.every((part) => recordOf(part)?.['type'] === 'text');
  if (quirks.arrayContent === false && onlyText) return parts.map((part) => String(part['text'])).join('\n');
  return parts;
}

export function encodeParts(encoding: Encoding, content: readonly Part[], path: string): JsonObject[] {
  const parts: JsonObject[] = [];
  for (const [position, part] of content.entries()) {
    const where = `${path}.content[${position}]`;
    if (part.type === 'native' && part.protocol !== PROTOCOL) {
      const { fallbackText } = part;
      if (fallbackText === undefined) {
        encoding.losses.warn('dropped-part', where, 'native', `A part of ${part.protocol} is left out.`);
      } else {
        encoding.losses.warn('degraded', where, 'native', `A part of ${part.protocol} is sent as text.`);
        parts.push({ type: 'text', text: fallbackText });
      }
    } else parts.push(encodePart(encoding, part, where));
  }
  return parts;
}

export function encodePart(encoding: Encoding, part: Part, path: string): JsonObject {
  switch (part.type) {
    case 'native':
      return part.value as JsonObject;
    case 'approval-response':
      return encoding.losses.refuse(path, 'an approval of a tool run by the provider');
    default: {
      const wire = wirePart(encoding, part, path);
      return mergeWire({ ...wire, ...breakpoint(encoding, part.cache, path) }, part.native);
    }
  }
}

function wirePart(
  encoding: Encoding,
  part: Exclude<Part, { type: 'native' | 'approval-response' }>,
  path: string,
): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      return wireImage(encoding, part, path);
    case 'audio':
      return wireAudio(encoding, part, path);
    case 'file':
      return wireFile(encoding, part, path);
    default:
      return wireVideo(encoding, part, path);
  }
}

function wireImage({ losses }: Encoding, part: ImagePart, path: string): JsonObject {
  const url = urlOf(part.source, part.mediaType ?? 'image/png');
  if (url === undefined) return losses.refuse(path, `an image given as ${part.source.kind}`);
  return { type: 'image_url', image_url: { url, ...(part.detail !== undefined && { detail: part.detail }) } };
}

function wireAudio({ losses }: Encoding, part: AudioPart, path: string): JsonObject {
  if (part.source.kind !== 'base64') return losses.refuse(path, `audio given as ${part.source.kind}`);
  const format = AUDIO_FORMATS[part.mediaType ?? 'audio/wav'] ?? part.mediaType?.replace(/^audio\//, '');
  return { type: 'input_audio', input_audio: { data: part.source.data, format: format ?? 'wav' } };
}

function wireVideo({ quirks, facts, losses }: Encoding, part: VideoPart, path: string): JsonObject {
  const url = urlOf(part.source, part.mediaType ?? 'video/mp4');
  if (url === undefined || (quirks.video !== true && facts === undefined)) return losses.refuse(path, 'video');
  for (const lost of ['startMs', 'endMs', 'fps'] as const) {
    if (part[lost] !== undefined) losses.warn('unsupported', `${path}.${lost}`, 'video', `${lost} is left out.`);
  }
  return { type: 'video_url', video_url: { url } };
}

function wireFile({ facts, losses }: Encoding, part: FilePart, path: string): JsonObject {
  const { source } = part;
  if (part.cite === true || part.context !== undefined) {
    losses.warn(
      'unsupported',
      path,
      'file',
      'Citations and context of a document have no place here; they are left out.',
    );
  }
  const filename = part.filename ?? part.title;
  const name = filename === undefined ? {} : { filename };
  switch (source.kind) {
    case 'base64':
      return { type: 'file', file: { ...name, file_data: dataUrl(source.data, part.mediaType ?? 'application/pdf') } };
    case 'file':
      return { type: 'file', file: { file_id: source.id, ...name } };
    case 'text':
      losses.warn('degraded', path, 'file', 'A text document is sent as text.');
      return { type: 'text', text: filename === undefined ? source.text : `${filename}:\n${source.text}` };
    default:
      if (facts === undefined) losses.refuse(path, 'a document given by its address');
      return { type: 'file', file: { ...name, file_data: source.url } };
  }
}

function urlOf(source: Source, mediaType: string): string | undefined {
  if (source.kind === 'url') return source.url;
  return source.kind === 'base64' ? dataUrl(source.data, mediaType) : undefined;
}

/** A prompt-cache breakpoint. OpenAI caches by itself, so a hint that cannot be said costs little. */
function breakpoint(
  { request, quirks, facts, losses }: Encoding,
  cache: CacheHint | undefined,
  path: string,
): JsonObject {
  if (cache === undefined) return {};
  const explicit = request.cache?.mode === 'explicit' ? 'prompt_cache_breakpoint' : 'none';
  const field = facts?.cacheField ?? quirks.cacheField ?? explicit;
  const ttl = cache === true ? undefined : cache.ttl;
  if (field === 'none') {
    losses.warn(
      'unsupported',
      `${path}.cache`,
      'cache',
      'Breakpoints are only sent with cache.mode explicit; the server caches by itself.',
    );
    return {};
  }
  if (field === 'cache_control') {
    return { cache_control: { type: 'ephemeral', ...(ttl !== undefined && { ttl }) } };
  }
  const known = ttl === '30m' || ttl === '12h';
  if (ttl !== undefined && !known) {
    losses.warn(
      'degraded',
      `${path}.cache.ttl`,
      'cache',
      `A prompt cache of ${ttl} is not offered; the default is used.`,
    );
  }
  return { prompt_cache_breakpoint: { mode: 'explicit', ...(known && { ttl }) } };
}
