import type { Source } from '../../operations/shared.ts';

/** A URL as a source: the bytes of a base64 `data:` URL, else the address. */
export function sourceOfUrl(url: string): { source: Source; mediaType?: string } {
  if (!url.startsWith('data:')) return { source: { kind: 'url', url } };
  const comma = url.indexOf(',');
  const head = url.slice(5, comma);
  if (comma < 0 || !head.endsWith(';base64')) return { source: { kind: 'url', url } };
  const mediaType = head.slice(0, -';base64'.length);
  return { source: { kind: 'base64', data: url.slice(comma + 1) }, ...(mediaType !== '' && { mediaType }) };
}

export function dataUrl(data: string, mediaType: string): string {
  return `data:${mediaType};base64,${data}`;
}
