import type { Dialect, DoorDialect } from '../core/dialect.ts';
import type { Protocol } from '../operations/shared.ts';
import type { Inbound, Seam } from './seam.ts';

/** Both halves of a protocol. */
export interface DialectPair {
  readonly dialect: Dialect;
  readonly door: DoorDialect;
}

/** What a request is, as far as its line says. */
export interface Route {
  readonly protocol: Protocol;
  readonly operation: 'chat' | 'embed';
  /** Below the API root, with its query. */
  readonly path: string;
}

/** The ends of paths a door understands; a query may follow. Everything else passes as `raw`. */
const ROUTES: readonly (readonly [end: string, protocol: Protocol, operation: Route['operation']])[] = [
  ['/chat/completions', 'openai-chat', 'chat'],
  ['/embeddings', 'openai-chat', 'embed'],
  ['/responses', 'openai-responses', 'chat'],
  ['/v1/messages', 'anthropic-messages', 'chat'],
];

/** Which protocol and operation a request is, by its method and path. */
export function routeOf(inbound: Inbound, seam: Seam): Route | undefined {
  if (inbound.method !== 'POST') return undefined;
  const { pathname, search } = inbound.url;
  for (const [end, protocol, operation] of ROUTES) {
    if (pathname.endsWith(end) && seam.protocols.includes(protocol)) return { protocol, operation, path: end + search };
  }
  return undefined;
}

/** Loads a protocol at its first request. */
const LOADERS: Readonly<Record<string, () => Promise<DialectPair>>> = {
  'openai-chat': async () => {
    const [{ openaiChat: dialect }, { openaiChatDoor: door }] = await Promise.all([
      import('../dialects/openai-chat/index.ts'),
      import('../dialects/openai-chat/door.ts'),
    ]);
    return { dialect, door };
  },
  'openai-responses': async () => {
    const [{ openaiResponses: dialect }, { openaiResponsesDoor: door }] = await Promise.all([
      import('../dialects/openai-responses/index.ts'),
      import('../dialects/openai-responses/door.ts'),
    ]);
    return { dialect, door };
  },
  'anthropic-messages': async () => {
    const [{ anthropicMessages: dialect }, { anthropicMessagesDoor: door }] = await Promise.all([
      import('../dialects/anthropic-messages/index.ts'),
      import('../dialects/anthropic-messages/door.ts'),
    ]);
    return { dialect, door };
  },
};
const loaded = new Map<Protocol, DialectPair>();

export function loadDialect(protocol: Protocol): DialectPair | Promise<DialectPair> {
  const known = loaded.get(protocol);
  if (known !== undefined) return known;
  const load = LOADERS[protocol] as () => Promise<DialectPair>;
  return load().then((pair) => {
    loaded.set(protocol, pair);
    return pair;
  });
}
