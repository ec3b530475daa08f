import { numberOf, stringOf } from '../../core/wire-json.ts';
import type { Citation } from '../../operations/chat-parts.ts';
import type { Json } from '../../operations/shared.ts';
import { asNative, nativeOf, restOf, type Wire, type Written } from './protocol.ts';

const URL_FIELDS = new Set(['type', 'url', 'title', 'start_index', 'end_index']);
const FILE_FIELDS = new Set(['file_id', 'filename', 'start_index', 'end_index']);

/** An annotation as citation. The wire counts characters (code points) of the text; ours are UTF-16 code units. */
export function citationOf(annotation: Wire, text: string): Citation {
  // Nothing from 0 to 0 is what servers write for "no place", and '' for "no title"; so do we.
  const placed = annotation['end_index'] !== 0;
  const start = placed ? numberOf(annotation['start_index']) : undefined;
  const end = placed ? numberOf(annotation['end_index']) : undefined;
  const span = {
    ...(start !== undefined && { start: unitsOf(text, start) }),
    ...(end !== undefined && { end: unitsOf(text, end) }),
  };
  const url = stringOf(annotation['url']);
  if (annotation['type'] === 'url_citation' && url !== undefined) {
    const title = stringOf(annotation['title']) || undefined;
    return {
      ...span,
      source: { kind: 'url', url, ...(title !== undefined && { title }) },
      ...asNative(restOf(annotation, URL_FIELDS)),
    };
  }
  const fileId = stringOf(annotation['file_id']);
  const title = stringOf(annotation['filename']);
  return {
    ...span,
    source: { kind: 'document', ...(fileId !== undefined && { fileId }), ...(title !== undefined && { title }) },
    ...asNative(restOf(annotation, FILE_FIELDS)),
  };
}

/** A citation as annotation; `undefined` for a source this protocol has no words for. */
export function annotationOf(citation: Citation, text: string): Written | undefined {
  const { source, start, end } = citation;
  const span: Written = {
    ...(start !== undefined && { start_index: pointsOf(text, start) }),
    ...(end !== undefined && { end_index: pointsOf(text, end) }),
  };
  const native = nativeOf(citation) as Written | undefined;
  if (source.kind === 'url') {
    return {
      type: 'url_citation',
      url: source.url,
      title: source.title ?? '',
      start_index: 0,
      end_index: 0,
      ...span,
      ...native,
    };
  }
  if (source.kind !== 'document' || (source.fileId === undefined && native === undefined)) return undefined;
  const named: Record<string, Json> = {
    ...(source.fileId !== undefined && { file_id: source.fileId }),
    ...(source.title !== undefined && { filename: source.title }),
  };
  if (native?.['type'] === undefined)
    return { type: 'file_citation', index: source.index ?? 0, ...named, ...span, ...native };
  return { ...named, ...span, ...native };
}

/** Code points to code units. They are the same until the first character outside the basic plane. */
function unitsOf(text: string, points: number): number {
  let units = 0;
  for (let count = 0; count < points && units < text.length; count++) {
    units += (text.codePointAt(units) as number) > 0xffff ? 2 : 1;
  }
  // An offset past the text is kept as the provider wrote it.
  return units < text.length ? units : Math.max(units, points - pointsOf(text, text.length) + text.length);
}

function pointsOf(text: string, units: number): number {
  let points = 0;
  let at = 0;
  while (at < units && at < text.length) {
    at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1;
    points++;
  }
  return points + Math.max(0, units - text.length);
}
