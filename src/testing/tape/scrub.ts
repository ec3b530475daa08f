import { scrub } from '../../core/scrub.ts';
import { parseJson } from '../../core/wire-json.ts';
import type { Json } from '../../operations/shared.ts';
import { inspect, redactText, secrets as secretsPack } from '../../redaction/index.ts';

export interface ScrubOptions {
  /** Values that must not reach the disk, beside those that are found. */
  readonly secrets: readonly string[];
  /** Whether personal data goes too. */
  readonly personal: boolean;
}

/** Cleans everything of one exchange by the same secrets. */
export interface Scrubber {
  text(text: string): string;
  json(value: Json): Json;
  path(path: string): string;
  /** Whole events or a whole body. */
  chunk(text: string): string;
  /** Whether a known secret stands in bytes, read one character each. */
  holds(bytes: string): boolean;
}

const MARK = '[secret]';
const LENGTH_MIN = 8;
/** Header values that say nothing about who calls. */
const OPEN_HEADERS =
  /^(content-|accept|user-agent|anthropic-(version|beta)|x-stainless|host|connection|sec-|cache-control|date)/;
/** Query parameters that say nothing about who calls. */
const OPEN_QUERY = new Set([
  'api-version',
  'limit',
  'after',
  'before',
  'after_id',
  'before_id',
  'order',
  'beta',
  'alt',
]);
/** Names of fields whose values are secret, whatever they look like. */
const SECRET_FIELD =
  /(^|[_-])(api[_-]?key|secret|password|passwd|token|authorization|credential|cookie|private[_-]?key)s?$/i;

/** What is taken for a credential even where a careful detector would not: a recording is no place for doubt. */
const SHAPES = [
  /\beyJ[\w-]{4,}\.[\w-]{4,}\.[\w-]{4,}/g,
  /\b(?:sk|pk|rk|xai|gsk|hf|ghp|gho|ghs|glpat|xox[abp]|AIza)[-_]?[\w-]{12,}/g,
  /(?<=\bBearer\s+)[\w.~+/=-]{8,}/gi,
];

/** What has to go is found in the headers, the query, and the body by field names and by what keys look like. */
export function scrubberFor(
  exchange: {
    readonly headers: Readonly<Record<string, string>>;
    readonly path: string;
    readonly body: Json | undefined;
  },
  options: ScrubOptions,
): Scrubber {
  const found = new Set(options.secrets);
  for (const [name, value] of Object.entries(exchange.headers)) {
    if (OPEN_HEADERS.test(name)) continue;
    for (const word of [value, ...value.split(/[\s;,]+/).map((part) => part.replace(/^[\w-]+=/, ''))]) found.add(word);
    const basic = /^Basic\s+([\w+/=-]+)$/i.exec(value)?.[1];
    if (basic !== undefined) for (const part of decoded(basic).split(':')) found.add(part);
  }
  const query = new URL(exchange.path, 'http://x').searchParams;
  for (const [name, value] of query) if (!OPEN_QUERY.has(name)) found.add(value);
  collect(exchange.body, '', found);
  const known = [...found].filter((value) => value.length >= LENGTH_MIN);
  const forms = [...new Set(known.flatMap(formsOf))].sort((one, other) => other.length - one.length);
  const text = (value: string): string => clean(value, forms, options.personal);
  const json = (value: Json): Json => mapStrings(value, text, '');
  return {
    text,
    json,
    path(path) {
      const url = new URL(path, 'http://x');
      for (const name of new Set(url.searchParams.keys()))
        if (!OPEN_QUERY.has(name)) url.searchParams.set(name, 'secret');
      return text(url.pathname) + url.search;
    },
    chunk: (chunk) => chunkOf(chunk, text, json),
    holds: (bytes) => forms.some((form) => bytes.includes(form)),
  };
}

function clean(value: string, forms: readonly string[], personal: boolean): string {
  const safe = scrub(value, forms, '');
  const options = personal ? ({ action: 'mask' } as const) : ({ action: 'mask', detectors: secretsPack } as const);
  return redactText(safe, options).text;
}

/** JSON stays JSON: only the texts in it are cleaned, and what needs no cleaning stays byte for byte. */
function chunkOf(chunk: string, text: (value: string) => string, json: (value: Json) => Json): string {
  const cleanJson = (source: string): string => {
    const value = parseJson(source);
    if (value === undefined) return text(source);
    const cleaned = json(value);
    return cleaned === value ? source : JSON.stringify(cleaned);
  };
  if (!/^(event|data|id|retry)?:/m.test(chunk)) return cleanJson(chunk);
  return chunk
    .split('\n')
    .map((line) => {
      const data = /^(data: ?)(.*?)(\r?)$/.exec(line);
      return data === null ? text(line) : `${data[1]}${cleanJson(data[2] ?? '')}${data[3]}`;
    })
    .join('\n');
}

/** The same value if nothing in it had to go. */
function mapStrings(value: Json, map: (text: string) => string, field: string): Json {
  if (typeof value === 'string') return value !== '' && SECRET_FIELD.test(field) ? MARK : map(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = (value as readonly Json[]).map((item) => mapStrings(item, map, field));
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  const entries = Object.entries(value);
  const mapped = entries.map(([key, item]) => [map(key), mapStrings(item, map, key)] as const);
  return mapped.every(([key, item], index) => key === entries[index]?.[0] && item === entries[index]?.[1])
    ? value
    : (Object.fromEntries(mapped) as Json);
}

function collect(value: Json | undefined, field: string, found: Set<string>): void {
  if (typeof value === 'string') {
    if (SECRET_FIELD.test(field)) found.add(value);
    for (const shape of SHAPES) for (const [match] of value.matchAll(shape)) found.add(match);
    for (const { start, end } of inspect(value, { detectors: secretsPack, scoreMin: 0.5 }))
      found.add(value.slice(start, end));
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) collect(item as Json, Array.isArray(value) ? field : key, found);
  }
}

/** How a secret may be written elsewhere: encoded in a URL, escaped in JSON, in base64 at any of its three offsets, in hex. */
function formsOf(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  const offsets = [0, 1, 2].map((offset) => {
    const padded = new Uint8Array(offset + bytes.length);
    padded.set(bytes, offset);
    // The first and last characters also depend on what stands around it.
    return base64(padded)
      .replace(/=+$/, '')
      .slice(offset === 0 ? 0 : offset + 1, -1);
  });
  const web = offsets.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  const escaped = JSON.stringify(secret).slice(1, -1);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [secret, encodeURIComponent(secret), escaped, ...offsets, ...web, hex];
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function decoded(text: string): string {
  try {
    return atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  } catch {
    return '';
  }
}
