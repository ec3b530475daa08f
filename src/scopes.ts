import type { CallFace } from './calls.ts';
import type { Scope } from './core/call.ts';
import { invalidRequest } from './core/errors.ts';
import { liesIn } from './core/routing/region.ts';
import type { CallOptions } from './gateway-types.ts';

const SCOPE_FIELDS = ['tenant', 'user', 'app', 'agent', 'session', 'region'] as const;

/** The scope of a call that names nobody. */
const NOBODY: Scope = Object.freeze({});

/** Narrowest last: the gateway's own, the ambient one of `run`, the one of `with`, the call's. */
export function scopeOf(face: CallFace, own: Scope | undefined): Scope {
  const { options, ambient } = face;
  const around = ambient?.get();
  const scope =
    around === undefined && own === undefined
      ? (options.scope ?? NOBODY)
      : mergeScopes(mergeScopes(around ?? {}, options.scope ?? {}), own ?? {});
  if (scope === NOBODY && options.requireScope === undefined) return scope;
  for (const field of SCOPE_FIELDS) {
    const value: unknown = scope[field];
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      throw invalidRequest(`scope.${field}`, 'expected a text that is not empty.');
    }
  }
  for (const field of options.requireScope ?? []) {
    if (scope[field] === undefined) {
      throw invalidRequest(
        `scope.${field}`,
        `this gateway requires it; use gateway.with({ scope: { ${field} } }) or gateway.run.`,
      );
    }
  }
  return scope;
}

/** A scope within a scope: what the narrower one says wins, but its region stays within the wider one's. */
export function mergeScopes(wide: Scope, narrow: Scope): Scope {
  const region =
    wide.region === undefined || narrow.region === undefined || wide.region === narrow.region
      ? undefined
      : commonRegion(wide.region, narrow.region);
  return {
    ...wide,
    ...narrow,
    ...(region !== undefined && { region }),
    ...(wide.tags !== undefined && narrow.tags !== undefined && { tags: { ...wide.tags, ...narrow.tags } }),
  };
}

/** A narrower scope may narrow the region, never leave it. */
function commonRegion(wide: string, narrow: string): string {
  const [outer, inner] = [wide, narrow].map((names) => names.split(',').map((name) => name.trim())) as [
    string[],
    string[],
  ];
  const common = [
    ...inner.filter((name) => outer.some((around) => liesIn(name, around))),
    ...outer.filter((name) => inner.some((around) => liesIn(name, around))),
  ];
  if (common.length === 0)
    throw invalidRequest('scope.region', `${narrow} is not within ${wide}, where this scope's data must stay.`);
  return [...new Set(common)].join(',');
}

/** The regions a call itself allows. */
export function regionsOf(region: CallOptions['region']): readonly string[] | undefined {
  if (region === undefined) return undefined;
  const regions = typeof region === 'string' ? [region] : region;
  if (
    !Array.isArray(regions) ||
    regions.length === 0 ||
    regions.some((name) => typeof name !== 'string' || name === '')
  ) {
    throw invalidRequest('region', 'expected a region like "eu", or a list of them.');
  }
  return regions;
}
