import type { OperationName } from '../operations/index.ts';
import type { Call, Scope } from './call.ts';
import { canonicalJson } from './canonical-json.ts';
import { canonicalRequest } from './canonical-request.ts';
import { digestFields } from './digest.ts';
import { storeKey } from './store.ts';

/** What keys are made with, beside the call. */
export interface KeyRing {
  /** Kind of the entries: the first field of every key. */
  readonly kind: string;
  /** Makes digests nobody can test guesses against. For stores that others can read. */
  readonly secret?: string | Uint8Array;
  /** Scope fields, beside the tenant, that divide. */
  readonly scope: readonly (keyof Scope)[];
}

/** Headers that differ between equal calls and never change an answer. All others are in the key. */
const IGNORED_HEADERS =
  /^(x-stainless-.*|x-postern-.*|traceparent|tracestate|baggage|b3|x-b3-.*|user-agent|accept|accept-encoding|accept-language|connection|content-length|content-type|host|origin|referer|sec-.*|date|idempotency-key|x-request-id|x-client-request-id)$/;

/** Walls that were made lately, by ring and tenant: most calls come from few tenants. */
const walls = new WeakMap<KeyRing, Map<string | undefined, string>>();
const WALLS_MAX = 1_000;

/** The hard wall between tenants: a store key's beginning. No tenant is a partition of its own. */
export function partitionKey(ring: KeyRing, tenant: string | null | undefined): string {
  const whose = tenant ?? undefined;
  let known = walls.get(ring);
  if (known === undefined) walls.set(ring, (known = new Map()));
  const wall = known.get(whose);
  if (wall !== undefined) return wall;
  if (known.size >= WALLS_MAX) known.clear();
  const made = storeKey([ring.kind, digestFields(fieldOf('tenant', whose), ring.secret)]);
  known.set(whose, made);
  return made;
}

/** The whole key of a call: its partition, then a digest of everything that can change its answer. */
export function callKey<K extends OperationName>(ring: KeyRing, call: Call<K>, request: object = call.request): string {
  const fields = sharedFields(ring, call, 'request');
  fields.push(canonicalRequest(call.operation, request));
  return keyOf(ring, call, fields);
}

/** The key of one input of an embedding call: everything of the request but its other inputs. */
export function inputKeys(ring: KeyRing, call: Call<'embed'>): readonly string[] {
  const { input } = call.request;
  const shared = sharedFields(ring, call, 'input');
  shared.push(canonicalRequest('embed', call.request, 'input'));
  return input.map((text) => keyOf(ring, call, [...shared, text]));
}

/** The key a caller chose for itself, in place of everything but the partition. */
export function ownKey(ring: KeyRing, call: Call, key: string): string {
  return keyOf(ring, call, [call.operation, scopeText(ring, call.scope), 'own', key]);
}

/** What an entry is stored under for `invalidate({ tag })`: for every tenant, and for its own alone. */
export function tagKeys(ring: KeyRing, tenant: string | undefined, tags: readonly string[]): string[] {
  return tags.flatMap((tag) => [tagKey(ring, tag), tagKey(ring, tag, tenant ?? null)]);
}

/** `tenant` left out: whoever's. `null`: of calls without a tenant. */
export function tagKey(ring: KeyRing, tag: string, tenant?: string | null): string {
  const whose = tenant === undefined ? ['any'] : fieldOf('tenant', tenant ?? undefined);
  return digestFields([ring.kind, 'tag', ...whose, tag], ring.secret);
}

function keyOf(ring: KeyRing, call: Call, fields: readonly string[]): string {
  return partitionKey(ring, call.scope.tenant) + storeKey([digestFields(fields, ring.secret)]);
}

/** What every key of a call has in it, beside what was asked. */
function sharedFields(ring: KeyRing, call: Call, kind: string): string[] {
  const fields = [call.operation, scopeText(ring, call.scope), kind];
  // Where the call may go, in order, with what the configuration changes of its request there.
  for (const { id, overrides } of call.plan.candidates) {
    fields.push(id, overrides?.request === undefined ? '' : canonicalJson(overrides.request));
  }
  fields.push(headerText(call), call.strict === true ? 'strict' : '');
  return fields;
}

/** Absent and empty, or absent and a text that says so, are not the same. */
function fieldOf(name: string, value: unknown): string[] {
  return value === undefined
    ? [name, 'absent']
    : [name, 'is', typeof value === 'string' ? value : canonicalJson(value)];
}

function scopeText(ring: KeyRing, scope: Scope): string {
  let text = '';
  for (const name of ring.scope) text += storeKey(fieldOf(name, scope[name]));
  return text;
}

function headerText(call: Call): string {
  if (call.headers === undefined && call.wire === undefined) return '';
  const headers = { ...call.wire?.headers, ...call.headers };
  const names = Object.keys(headers).filter((name) => !IGNORED_HEADERS.test(name.toLowerCase()));
  return storeKey(names.sort().flatMap((name) => [name.toLowerCase(), headers[name] as string]));
}
