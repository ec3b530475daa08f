import { nativeRest, numberOf, recordOf, stringOf } from '../../core/wire-json.ts';
import type { Citation } from '../../operations/chat-parts.ts';
import type { Json } from '../../operations/shared.ts';
import { PROTOCOL, mergeWire } from './hints.ts';

const KNOWN = new Set(['url', 'title', 'start_index', 'end_index']);

/** A `url_citation`. Wire offsets count over the whole message, ours over the block that begins at `textStart`. */
export function citationOf(annotation: unknown, textStart: number): Citation | undefined {
  const wire = recordOf(annotation);
  const cited = recordOf(wire?.['url_citation']);
  const url = stringOf(cited?.['url']);
  if (wire?.['type'] !== 'url_citation' || cited === undefined || url === undefined) return undefined;
  const title = stringOf(cited['title']);
  const start = numberOf(cited['start_index']);
  const end = numberOf(cited['end_index']);
  const native = nativeRest(cited, KNOWN, PROTOCOL);
  return {
    ...(start !== undefined && { start: Math.max(0, start - textStart) }),
    ...(end !== undefined && { end: Math.max(0, end - textStart) }),
    source: { kind: 'url', url, ...(title !== undefined && { title }) },
    ...(native !== undefined && { native }),
  };
}

/** The inverse, for citations of web pages; `undefined` for others, which this protocol cannot show. */
export function annotationOf(citation: Citation, textStart: number): Json | undefined {
  const { source } = citation;
  if (source.kind !== 'url') return undefined;
  const cited = {
    url: source.url,
    title: source.title ?? '',
    start_index: (citation.start ?? 0) + textStart,
    end_index: (citation.end ?? 0) + textStart,
  };
  return { type: 'url_citation', url_citation: mergeWire(cited, citation.native) };
}
