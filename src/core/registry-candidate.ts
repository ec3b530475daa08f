import { didYouMean } from '../operations/problem.ts';
import type { Candidate, Loser } from './call.ts';
import { invalidOptions } from './errors.ts';
import type { ModelFacts } from './model-facts.ts';
import type { Provider } from './provider.ts';
import type { TargetEntry } from './registry-configuration.ts';
import { listing } from './registry-names.ts';
import { hashText } from './routing/hash.ts';
import type { RouteNode } from './routing/node.ts';

/** What an alias comes to: a tree of those targets that exist, and the others with their reasons. */
export interface Compiled {
  readonly node: RouteNode | undefined;
  readonly losers: readonly Loser[];
}

/** A target of the configuration as a candidate, or why there is none. */
export function compileTarget(
  entry: TargetEntry,
  slot: number,
  providers: ReadonlyMap<string, Provider>,
  aliases: Iterable<string>,
): Compiled {
  const { target } = entry.own;
  const slash = target.indexOf('/');
  if (slash > 0) {
    const provider = target.slice(0, slash);
    // An absent provider is no error: the same configuration serves processes with fewer keys.
    if (!providers.has(provider)) {
      return { node: undefined, losers: [{ target, reason: `provider ${provider} is not configured` }] };
    }
    return {
      node: leafOf(makeCandidate(provider, target.slice(slash + 1), providers, entry), entry.weight ?? 1, slot),
      losers: [],
    };
  }
  const listed = listing(target, providers);
  if (listed.length === 1) {
    return {
      node: leafOf(makeCandidate(listed[0] as string, target, providers, entry), entry.weight ?? 1, slot),
      losers: [],
    };
  }
  if (listed.length > 1) {
    throw invalidOptions(entry.path, `${target} is listed by ${listed.join(' and ')}; write provider/model.`);
  }
  if (providers.size > 0 && [...providers.values()].every((provider) => provider.models !== undefined)) {
    throw invalidOptions(
      entry.path,
      `${target} is no alias and no model a provider lists.${didYouMean(target, aliases)}`,
    );
  }
  throw invalidOptions(entry.path, `${target} is no alias; write provider/model, like "openai/${target}".`);
}

/** A model asked for by its own name, without an alias. */
export function directTarget(name: string, providers: ReadonlyMap<string, Provider>): Candidate | undefined {
  const slash = name.indexOf('/');
  if (slash > 0 && providers.has(name.slice(0, slash))) {
    return makeCandidate(name.slice(0, slash), name.slice(slash + 1), providers);
  }
  const listed = listing(name, providers);
  return listed.length === 1 ? makeCandidate(listed[0] as string, name, providers) : undefined;
}

function makeCandidate(
  provider: string,
  model: string,
  providers: ReadonlyMap<string, Provider>,
  entry?: TargetEntry,
): Candidate {
  const { weight, region, credential, version, tags, overrides, unsupported } = entry?.own ?? {};
  const identity = providers.get(provider)?.identity ?? provider;
  const id = `${identity}/${model}${region === undefined ? '' : `@${region}`}${credential === undefined ? '' : `#${credential}`}${version === undefined ? '' : `:${version}`}`;
  const facts = factsOf(entry);
  return Object.freeze({
    provider,
    model,
    id,
    ...(weight !== undefined && { weight }),
    ...(region !== undefined && { region }),
    ...(credential !== undefined && { credential }),
    ...(version !== undefined && { version }),
    ...(tags !== undefined && { tags }),
    ...(overrides !== undefined && { overrides: { request: overrides } }),
    ...(facts !== undefined && { facts }),
    ...(unsupported !== undefined && { unsupported }),
  });
}

function factsOf(entry: TargetEntry | undefined): ModelFacts | undefined {
  const { limits, capabilities, price, retiresOn } = entry?.own ?? {};
  if (limits ?? capabilities ?? price ?? retiresOn) {
    return {
      ...(limits !== undefined && { limits }),
      ...(capabilities !== undefined && { capabilities }),
      ...(price !== undefined && { price }),
      ...(retiresOn !== undefined && { retiresOn }),
    };
  }
  return undefined;
}

export function leafOf(candidate: Candidate, weight: number, slot: number): RouteNode {
  return { kind: 'target', candidate, weight, slot, hash: hashText(candidate.id) };
}
