import { didYouMean } from '../operations/problem.ts';
import type { Candidate, Loser } from './call.ts';
import { invalidOptions } from './errors.ts';
import type { ModelFacts } from './model-facts.ts';
import type { Provider } from './provider.ts';
import type { TargetEntry } from './registry-configuration.ts';
import { listing } from './registry-names.ts';
import { hashText } from './routing/hash.ts';
import type { RouteNode, Strategy } from './routing/node.ts';
import { STRATEGIES } from './routing/strategies/index.ts';

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
    return { node: targetNode(provider, target.slice(slash + 1), providers, slot, entry), losers: [] };
  }
  const listed = listing(target, providers);
  if (listed.length === 1) {
    return { node: targetNode(listed[0] as string, target, providers, slot, entry), losers: [] };
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
export function directTarget(name: string, providers: ReadonlyMap<string, Provider>): RouteNode | undefined {
  const slash = name.indexOf('/');
  if (slash > 0 && providers.has(name.slice(0, slash))) {
    return targetNode(name.slice(0, slash), name.slice(slash + 1), providers, 0);
  }
  const listed = listing(name, providers);
  return listed.length === 1 ? targetNode(listed[0] as string, name, providers, 0) : undefined;
}

/** A target as a leaf, or as a group of one leaf for each key of its provider. */
function targetNode(
  provider: string,
  model: string,
  providers: ReadonlyMap<string, Provider>,
  slot: number,
  entry?: TargetEntry,
): RouteNode {
  const { credentials, rotation = 'ordered', identity = provider } = providers.get(provider) ?? {};
  if (entry !== undefined) checkChoices(entry, provider, providers.get(provider));
  const weight = entry?.weight ?? 1;
  const named = entry?.own.credential;
  if (named !== undefined || credentials === undefined || credentials.length === 0)
    return leafOf(makeCandidate(provider, model, providers, named, entry), weight, slot);
  const members = credentials.map((key, index) =>
    leafOf(makeCandidate(provider, model, providers, key, entry), 1, index),
  );
  if (members.length === 1) return { ...(members[0] as RouteNode), weight, slot };
  return {
    kind: 'group',
    // Turns are the provider's, whatever the model.
    id: `credentials of ${identity}`,
    strategy: STRATEGIES.get(rotation) as Strategy,
    settings: undefined,
    members,
    weight,
    slot,
    hash: hashText(`${identity}/${model}`),
  };
}

/** What a target names must be there: an unknown key or place is never passed over in silence. */
function checkChoices({ own, path }: TargetEntry, name: string, provider: Provider | undefined): void {
  const { credential, region } = own;
  const { credentials, endpoints } = provider ?? {};
  if (credential !== undefined && credentials?.includes(credential) === false) {
    const there = credentials.length === 0 ? 'give it credentials by name' : `it has ${credentials.join(', ')}`;
    throw invalidOptions(`${path}.credential`, `provider ${name} has no credential of that name; ${there}.`);
  }
  if (region !== undefined && endpoints?.includes(region) === false) {
    const there = endpoints.length === 0 ? 'give it regions with their addresses' : `it has ${endpoints.join(', ')}`;
    throw invalidOptions(`${path}.region`, `provider ${name} knows no region ${region}; ${there}.`);
  }
}

function makeCandidate(
  provider: string,
  model: string,
  providers: ReadonlyMap<string, Provider>,
  credential: string | undefined,
  entry: TargetEntry | undefined,
): Candidate {
  const { weight, region, version, tags, overrides, unsupported } = entry?.own ?? {};
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
