import { arrayOf, recordOf, stringOf } from '../../core/wire-json.ts';
import type { FilePart, ImagePart, InputPart, NativePart, TextPart } from '../../operations/chat-parts.ts';
import type { CacheHint, Json, Source } from '../../operations/shared.ts';
import { nativePart } from './items.ts';
import { asNative, restOf, type Wire } from './protocol.ts';

const TEXT_FIELDS = new Set(['type', 'text', 'prompt_cache_breakpoint']);
const IMAGE_FIELDS = new Set(['type', 'image_url', 'file_id', 'detail', 'prompt_cache_breakpoint']);
const FILE_FIELDS = new Set(['type', 'file_data', 'file_url', 'file_id', 'filename', 'prompt_cache_breakpoint']);

/** Content of an input message or of a tool's output: text, or a list of entries. */
export function contentParts(content: unknown): (TextPart | ImagePart | FilePart | NativePart)[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  return arrayOf(content).map((entry) => entryPart(recordOf(entry) ?? {}));
}

function entryPart(entry: Wire): TextPart | ImagePart | FilePart | NativePart {
  switch (entry['type']) {
    case 'input_text':
      return { type: 'text', text: stringOf(entry['text']) ?? '', ...carried(entry, TEXT_FIELDS) };
    case 'input_image':
      return imagePart(entry) ?? nativePart(entry);
    case 'input_file':
      return filePart(entry) ?? nativePart(entry);
    default:
      return nativePart(entry);
  }
}

function carried(
  entry: Wire,
  known: ReadonlySet<string>,
  more: Wire = {},
): { cache?: CacheHint; native?: NonNullable<InputPart['native']> } {
  const breakpoint = recordOf(entry['prompt_cache_breakpoint']);
  const plain = breakpoint !== undefined && breakpoint['mode'] === 'explicit';
  return {
    ...(breakpoint !== undefined && { cache: true as const }),
    ...asNative({
      ...restOf(entry, known),
      ...(!plain && { prompt_cache_breakpoint: entry['prompt_cache_breakpoint'] }),
      ...more,
    }),
  };
}

function imagePart(entry: Wire): ImagePart | undefined {
  const url = stringOf(entry['image_url']);
  const id = stringOf(entry['file_id']);
  const read =
    url !== undefined ? sourceOf(url) : id !== undefined ? { source: { kind: 'file' as const, id } } : undefined;
  if (read === undefined) return undefined;
  const detail = stringOf(entry['detail']);
  return {
    type: 'image',
    ...read,
    ...(detail !== undefined && { detail: detail as NonNullable<ImagePart['detail']> }),
    ...carried(entry, IMAGE_FIELDS, nulls(entry, ['image_url', 'file_id', 'detail'])),
  };
}

function filePart(entry: Wire): FilePart | undefined {
  const data = stringOf(entry['file_data']);
  const url = stringOf(entry['file_url']);
  const id = stringOf(entry['file_id']);
  const filename = stringOf(entry['filename']);
  let read: { source: Source; mediaType?: string };
  let more: Wire = {};
  if (data !== undefined) {
    read = sourceOf(data);
    // Bare base64 without its media type is written back as it came.
    if (read.source.kind === 'url') {
      read = { source: { kind: 'base64', data } };
      more = { file_data: data };
    }
  } else if (url !== undefined) read = { source: { kind: 'url', url } };
  else if (id !== undefined) read = { source: { kind: 'file', id } };
  else return undefined;
  return {
    type: 'file',
    ...read,
    ...(filename !== undefined && { filename }),
    ...carried(entry, FILE_FIELDS, { ...nulls(entry, ['file_data', 'file_url', 'file_id', 'filename']), ...more }),
  };
}

function nulls(entry: Wire, names: readonly string[]): Wire {
  return Object.fromEntries(names.filter((name) => entry[name] === null).map((name) => [name, null as Json]));
}

/** A `data:` URL as bytes with their type; any other URL as it is. */
function sourceOf(url: string): { source: Source; mediaType?: string } {
  if (!url.startsWith('data:')) return { source: { kind: 'url', url } };
  const comma = url.indexOf(',');
  const match = /^data:([^;,]+);base64$/.exec(url.slice(0, comma));
  if (comma === -1 || match === null) return { source: { kind: 'url', url } };
  return { source: { kind: 'base64', data: url.slice(comma + 1) }, mediaType: match[1] as string };
}
