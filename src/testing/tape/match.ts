import { canonicalJson } from '../../core/canonical-json.ts';
import { digest } from '../../core/digest.ts';
import type { Json } from '../../operations/shared.ts';
import type { MockProtocol } from '../wire/protocols.ts';
import { bothWays } from '../wire/protocols.ts';

const PROTOCOL_AT: Readonly<Record<string, MockProtocol>> = {
  '/chat/completions': 'openai-chat',
  '/embeddings': 'openai-chat',
  '/responses': 'openai-responses',
  '/messages': 'anthropic-messages',
};
const LINES_MAX = 12;
const SHOWN_MAX = 80;

/** What a request is matched by: what it asks for, in normal form, whoever it asks and however it is written. */
export interface MatchForm {
  readonly method: string;
  readonly path: string;
  readonly stream: boolean;
  readonly request: unknown;
}

export function matchForm(method: string, path: string, body: unknown, ignore: readonly string[]): MatchForm {
  const url = new URL(path, 'http://x');
  const below = url.pathname.replace(/^.*?\/v\d+(?=\/)/, '').replace(/\/+$/, '');
  const stream = Reflect.get((body ?? {}) as object, 'stream') === true;
  return { method, path: below + url.search, stream, request: without(canonical(below, body), ignore) };
}

export function keyOf(form: MatchForm): string {
  return digest(canonicalJson(form));
}

/** The canonical request where a dialect reads it, else the body itself. */
function canonical(path: string, body: unknown): unknown {
  const protocol = PROTOCOL_AT[path];
  if (protocol === undefined || typeof body !== 'object' || body === null) return body ?? null;
  const { door } = bothWays(protocol);
  try {
    const codec = door.routes[path] === 'embed' || path === '/embeddings' ? door.embed : door.chat;
    return codec?.decodeRequest(body, {}).request ?? body;
  } catch {
    return body;
  }
}

function without(request: unknown, ignore: readonly string[]): unknown {
  if (ignore.length === 0 || typeof request !== 'object' || request === null) return request;
  return Object.fromEntries(Object.entries(request).filter(([name]) => !ignore.includes(name)));
}

/** What differs between two values, one line a place: `messages[0].content[0].text: recorded "a", now "b"`. */
export function differences(recorded: unknown, now: unknown): string[] {
  const lines: string[] = [];
  compare(recorded, now, '', lines);
  return lines.length <= LINES_MAX ? lines : [...lines.slice(0, LINES_MAX), `… and ${lines.length - LINES_MAX} more`];
}

function compare(recorded: unknown, now: unknown, path: string, lines: string[]): void {
  if (recorded === now) return;
  const both = typeof recorded === 'object' && recorded !== null && typeof now === 'object' && now !== null;
  if (!both || Array.isArray(recorded) !== Array.isArray(now)) {
    lines.push(`${path === '' ? 'request' : path}: recorded ${shown(recorded)}, now ${shown(now)}`);
    return;
  }
  for (const key of new Set([...Object.keys(recorded), ...Object.keys(now)])) {
    const inner = Array.isArray(recorded) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
    compare(Reflect.get(recorded, key), Reflect.get(now, key), inner, lines);
  }
}

function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value as Json);
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}
