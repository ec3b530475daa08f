import type { FilePart, ImagePart, InputPart, ToolResultItem } from '../../operations/chat-parts.ts';
import type { CacheHint } from '../../operations/shared.ts';
import { mergeNative } from '../../core/wire-json.ts';
import type { Losses } from './losses.ts';
import { PROTOCOL, type Written } from './protocol.ts';

const EXTENSIONS: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'text/plain': 'txt',
  'text/csv': 'csv',
  'text/markdown': 'md',
  'application/json': 'json',
};

/** A part of a user message or tool result as content entry. */
export function contentEntry(part: InputPart | ToolResultItem, losses: Losses, path: string, own: boolean): Written {
  switch (part.type) {
    case 'text':
      return finish({ type: 'input_text', text: part.text }, part);
    case 'json':
      return finish({ type: 'input_text', text: JSON.stringify(part.value) }, part);
    case 'image':
      return finish(imageEntry(part), part);
    case 'file':
      return finish(fileEntry(part, losses, path, own), part);
    case 'native':
      return part.value as Written;
    default:
      return losses.refuse(part.type, `the Responses API takes no ${part.type} input; use a target that does.`, path);
  }
}

function finish(entry: Written, part: { readonly cache?: CacheHint; readonly native?: InputPart['native'] }): Written {
  const hinted = part.cache === undefined ? entry : { ...entry, prompt_cache_breakpoint: { mode: 'explicit' } };
  return mergeNative(hinted, part.native, PROTOCOL);
}

function imageEntry(part: ImagePart): Written {
  const detail = part.detail === undefined ? {} : { detail: part.detail };
  const { source } = part;
  if (source.kind === 'file') return { type: 'input_image', file_id: source.id, ...detail };
  const data = source.kind === 'text' ? base64Of(source.text) : source.kind === 'base64' ? source.data : '';
  const url = source.kind === 'url' ? source.url : `data:${part.mediaType ?? 'image/png'};base64,${data}`;
  return { type: 'input_image', image_url: url, ...detail };
}

function fileEntry(part: FilePart, losses: Losses, path: string, own: boolean): Written {
  if (part.context !== undefined) losses.note('dropped-part', 'context', 'a file has no context text here.', path);
  if (part.cite !== undefined) losses.note('dropped-part', 'cite', 'citations into a file cannot be asked for.', path);
  const { source } = part;
  const filename = part.filename ?? part.title;
  const named = filename === undefined ? {} : { filename };
  if (source.kind === 'file') return { type: 'input_file', file_id: source.id, ...named };
  if (source.kind === 'url') return { type: 'input_file', file_url: source.url, ...named };
  const mediaType = part.mediaType ?? (source.kind === 'text' ? 'text/plain' : 'application/pdf');
  const data = source.kind === 'text' ? base64Of(source.text) : source.data;
  // Inline data needs a name, whose extension tells the server what it is.
  const full =
    own || filename?.includes('.') === true
      ? named
      : { filename: `${filename ?? 'document'}.${EXTENSIONS[mediaType] ?? 'bin'}` };
  return { type: 'input_file', ...full, file_data: `data:${mediaType};base64,${data}` };
}

/** UTF-8 text as base64. */
export function base64Of(text: string): string {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes);
}

/** Base64 as UTF-8 text; `undefined` where it is neither. */
export function textOfBase64(data: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
