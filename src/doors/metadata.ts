import type { Call, CachedFacts, Scope } from '../core/call.ts';
import { invalidRequest } from '../core/errors.ts';
import type { Target, Warning } from '../operations/shared.ts';

/** Headers of ours: read on the way in and never sent on, written on the way out. */
const PREFIX = 'x-postern-';
const SCOPE = `${PREFIX}scope`;

/** Request options of one call for any SDK; also good as the `headers` of a `fetch`. */
export type ScopeHeaders = Headers & { readonly headers: Headers };

/** A scope as request options. They are taken off before the request is sent on. */
export function scopeHeaders(scope: Scope): ScopeHeaders {
  const headers = new Headers({ [SCOPE]: encodeURIComponent(JSON.stringify(scope)) });
  // One value for both ways of writing it: `create(body, x)` spreads it, `{ headers: x }` reads it as headers.
  Object.defineProperty(headers, 'headers', { value: headers, enumerable: true });
  return headers as ScopeHeaders;
}

/** The scope that came with a request. */
export function scopeOf(headers: Headers): Scope | undefined {
  const text = headers.get(SCOPE);
  if (text === null) return undefined;
  try {
    const scope = JSON.parse(decodeURIComponent(text)) as unknown;
    if (typeof scope === 'object' && scope !== null && !Array.isArray(scope)) return scope as Scope;
  } catch {
    // Told below, whatever was wrong with it.
  }
  throw invalidRequest(SCOPE, 'is not readable; make it with gateway.headers(scope).');
}

/** Every header of ours, in and out: an application may send back what it read. */
const OURS = ['scope', 'call', 'target', 'attempts', 'cached', 'cost', 'warnings'].map((name) => PREFIX + name);

/** The headers without ours; the same object if there are none. */
export function withoutOurs(headers: Headers): Headers {
  // Asked by name: going through all of them sorts them first.
  const ours = OURS.filter((name) => headers.has(name));
  if (ours.length === 0) return headers;
  const rest = new Headers(headers);
  for (const name of ours) rest.delete(name);
  return rest;
}

/** What an answer says about itself. */
export interface Outcome {
  readonly target: Target;
  readonly cached?: CachedFacts | undefined;
  readonly warnings?: readonly Warning[] | undefined;
  readonly spentNanoUsd?: bigint | undefined;
}

/** How a call went, as response headers, for the SDK's own `.withResponse()`. */
export function described(call: Call, outcome: Outcome): Record<string, string> {
  const { target, cached, warnings, spentNanoUsd } = outcome;
  const headers: Record<string, string> = {
    'x-postern-call': call.id,
    'x-postern-target': latin1(`${target.provider}/${target.model}`),
    'x-postern-attempts': String(call.context.attempts.length),
  };
  if (cached !== undefined) headers['x-postern-cached'] = cached.kind;
  if (spentNanoUsd !== undefined) headers['x-postern-cost'] = dollars(spentNanoUsd);
  if (warnings !== undefined && warnings.length > 0) {
    headers['x-postern-warnings'] = latin1(`${warnings.length}; ${listed(warnings)}`);
  }
  return headers;
}

/** Code and place of each, as many as a header should hold. */
function listed(warnings: readonly Warning[]): string {
  const named = new Set(warnings.map(({ code, path, feature }) => `${code} ${path ?? feature ?? ''}`.trimEnd()));
  return [...named].slice(0, WARNINGS_NAMED_MAX).join(', ').slice(0, WARNINGS_LENGTH_MAX);
}
const WARNINGS_NAMED_MAX = 20;
const WARNINGS_LENGTH_MAX = 1000;

/** Nano-dollars as US dollars, exactly. */
function dollars(nano: bigint): string {
  const digits = String(nano < 0n ? -nano : nano).padStart(10, '0');
  return `${nano < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

function latin1(text: string): string {
  // Asked first: nearly all names are plain.
  return /^[ -~]*$/.test(text) ? text : text.replace(/[^\u0020-\u007e\u00a0-\u00ff]/g, '?');
}
