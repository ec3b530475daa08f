import { canonicalJson } from '../../core/canonical-json.ts';
import { digest } from '../../core/digest.ts';
import type { MockProtocol } from '../wire/protocols.ts';
import { bothWays } from '../wire/protocols.ts';

const PROTOCOL_AT: Readonly<Record<string, MockProtocol>> = {
  '/chat/completions': 'openai-chat',
  '/embeddings': 'openai-chat',
  '/responses': 'openai-responses',
  '/messages': 'anthropic-messages',
};

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
