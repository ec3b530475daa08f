import { arrayOf, countOf, numberOf, recordOf, stringOf } from '../../core/wire-json.ts';
import type { Citation } from '../../operations/chat-parts.ts';
import type { JsonObject } from '../../operations/shared.ts';
import { PROTOCOL } from './encoding.ts';

/** A wire citation as ours. The whole of it is kept, because `encrypted_index` has to come back as it was. */
export function citationOf(value: unknown): Citation | undefined {
  const wire = recordOf(value);
  if (wire === undefined) return undefined;
  const quote = stringOf(wire['cited_text']);
  return {
    ...(quote !== undefined && { quote }),
    source: sourceOf(wire),
    native: { [PROTOCOL]: wire as JsonObject },
  };
}

export function citationsOf(value: unknown): Citation[] {
  return arrayOf(value)
    .map(citationOf)
    .filter((citation): citation is Citation => citation !== undefined);
}

function sourceOf(wire: Readonly<Record<string, unknown>>): Citation['source'] {
  const type = stringOf(wire['type']);
  const title = stringOf(wire['title']) ?? stringOf(wire['document_title']);
  if (type === 'web_search_result_location') {
    return { kind: 'url', url: stringOf(wire['url']) ?? '', ...(title !== undefined && { title }) };
  }
  if (type === 'search_result_location') {
    const url = stringOf(wire['source']) ?? '';
    return { kind: 'url', url, ...(title !== undefined && { title }) };
  }
  const index = numberOf(wire['document_index']);
  const fileId = stringOf(wire['file_id']);
  return {
    kind: 'document',
    ...(index !== undefined && { index }),
    ...(fileId !== undefined && { fileId }),
    ...(title !== undefined && { title }),
    ...(type === 'page_location' && { pages: range(wire, 'start_page_number', 'end_page_number') }),
    ...(type === 'char_location' && { chars: range(wire, 'start_char_index', 'end_char_index') }),
    ...(type === 'content_block_location' && { blocks: range(wire, 'start_block_index', 'end_block_index') }),
  };
}

function range(wire: Readonly<Record<string, unknown>>, start: string, end: string): [number, number] {
  return [countOf(wire[start]), countOf(wire[end])];
}

/** The wire form, or `undefined` for a citation this protocol did not make and has no shape for. */
export function encodeCitation(citation: Citation): JsonObject | undefined {
  return citation.native?.[PROTOCOL];
}

/**
 * The wire form for an application, which is also made up for sources of other protocols where a kind exists.
 * `encrypted_index` is then empty: nobody can replay such a citation.
 */
export function showCitation(citation: Citation): JsonObject | undefined {
  const own = encodeCitation(citation);
  if (own !== undefined) return own;
  const { source } = citation;
  const cited_text = citation.quote ?? '';
  if (source.kind === 'url') {
    const title = source.title ?? null;
    return { type: 'web_search_result_location', cited_text, url: source.url, title, encrypted_index: '' };
  }
  if (source.kind !== 'document') return undefined;
  const common = {
    cited_text,
    document_index: source.index ?? 0,
    document_title: source.title ?? null,
    file_id: source.fileId ?? null,
  };
  if (source.pages !== undefined) {
    const [start_page_number, end_page_number] = source.pages;
    return { type: 'page_location', ...common, start_page_number, end_page_number };
  }
  const [start_char_index, end_char_index] = source.chars ?? [0, 0];
  return { type: 'char_location', ...common, start_char_index, end_char_index };
}
