import type { Call } from '../../core/call.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Outcome } from '../../core/reply.ts';
import { type Store, storeKey } from '../../core/store.ts';

export interface ContentLogOptions {
  /** Where prompts and answers are kept. Wrap it with `encrypted` to have them encrypted. */
  readonly store: Store;
  /**
   * `masked`: what `redact` publishes, and nothing if there is no `redact`. `raw`: as the caller and the model wrote it.
   *
   * @defaultValue 'masked'
   */
  readonly view?: 'masked' | 'raw';
  /** How long an entry is kept, in milliseconds. @defaultValue as long as the store keeps things */
  readonly ttlMs?: number;
}

/** What a full log keeps of one call, as JSON. */
export interface ContentEntry {
  readonly callId: string;
  readonly at: number;
  readonly view: 'masked' | 'raw';
  readonly request?: unknown;
  readonly response?: unknown;
}

/** Where the content of a call stands in the store. All of a tenant: `store.invalidate({ prefix: contentKey(tenant) })`. */
export function contentKey(tenant: string | undefined, callId = ''): string {
  return `content:${storeKey([tenant ?? ''])}${callId}`;
}

/** Keeps what a call said, from the view that was asked for. */
export async function logContent(options: ContentLogOptions, call: Call, at: number, outcome: Outcome): Promise<void> {
  const { store, view = 'masked', ttlMs } = options;
  const raw = { request: call.request, ...(outcome.response !== undefined && { response: outcome.response }) };
  const content = view === 'raw' ? raw : call.context.content;
  if (content === undefined) return;
  const { request, response } = content as { request?: unknown; response?: unknown };
  const entry: ContentEntry = { callId: call.id, at, view, request, response };
  const text = JSON.stringify(entry, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  const key = contentKey(call.scope.tenant, call.id);
  const outcomeOfSet = await store.set(key, text, ttlMs === undefined ? {} : { ttlMs });
  if (outcomeOfSet === 'refused') {
    throw new GatewayError('unavailable', 'The store of the content log refused an entry.', { stage: 'meter.content' });
  }
}
