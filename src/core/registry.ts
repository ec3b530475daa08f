import type { OperationName } from '../operations/index.ts';
import type { Candidate, Loser, Plan } from './call.ts';
import { invalidOptions } from './errors.ts';
import type { Provider } from './provider.ts';
import { type Compiled, compileTarget, directTarget } from './registry-candidate.ts';
import { type Entry, type ModelsConfiguration, parseAlias } from './registry-configuration.ts';
import { unknownModel } from './registry-names.ts';
import { withTree } from './registry-tree.ts';
import { hashText } from './routing/hash.ts';
import { type GroupNode, leavesOf, mapCandidates, type RouteNode } from './routing/node.ts';

/** A compiled, frozen snapshot of the models configuration. */
export interface Registry {
  readonly revision: number;
  readonly models: ModelsConfiguration;
  resolve(name: string, operation: OperationName): Plan;
  readonly aliases: readonly string[];
  /** Everything an alias may reach, whatever the operation. */
  targets(alias: string): { readonly candidates: readonly Candidate[]; readonly losers: readonly Loser[] };
}

/** Checks the configuration as a whole and compiles it. Throws `invalid-options` naming the path and the fix. */
export function compileRegistry(
  models: ModelsConfiguration,
  providers: ReadonlyMap<string, Provider>,
  revision: number,
): Registry {
  if (typeof models !== 'object' || models === null || Array.isArray(models)) {
    throw invalidOptions('models', 'expected an object of aliases, like { fast: "openai/gpt-5-mini" }.');
  }
  const entries = new Map<string, Entry>();
  for (const [alias, configured] of Object.entries(models)) entries.set(alias, parseAlias(alias, configured));
  const compiled = compileAliases(entries, providers);
  const aliases = [...entries.keys()];
  // A plan without constraints is the same for every call: made once.
  const plans = new Map<string, Plan>();
  return Object.freeze({
    revision,
    models,
    aliases,
    resolve(name: string, operation: OperationName): Plan {
      const found = compiled.get(name);
      if (found === undefined) {
        const direct = directTarget(name, providers);
        if (direct === undefined) throw unknownModel(name, aliases, providers);
        return planOf({ node: direct, losers: [] }, providers, operation, revision);
      }
      const key = `${operation} ${name}`;
      const known = plans.get(key);
      if (known !== undefined) return known;
      const plan = Object.freeze(planOf(found, providers, operation, revision, name));
      plans.set(key, plan);
      return plan;
    },
    targets(alias: string) {
      const found = compiled.get(alias);
      const leaves = found?.node === undefined ? [] : leavesOf(found.node);
      return { candidates: leaves.map(({ candidate }) => candidate), losers: found?.losers ?? [] };
    },
  });
}

function compileAliases(
  entries: ReadonlyMap<string, Entry>,
  providers: ReadonlyMap<string, Provider>,
): ReadonlyMap<string, Compiled> {
  const compiled = new Map<string, Compiled>();
  const compileAlias = (alias: string, trail: readonly string[]): Compiled => {
    const done = compiled.get(alias);
    if (done !== undefined) return done;
    if (trail.includes(alias))
      throw invalidOptions(`models.${alias}`, `the aliases go in a circle: ${[...trail, alias].join(' -> ')}.`);
    const found = compile(entries.get(alias) as Entry, 0, [...trail, alias]);
    compiled.set(alias, found);
    return found;
  };
  const compile = (entry: Entry, slot: number, trail: readonly string[]): Compiled => {
    if (entry.kind === 'target') {
      if (!entries.has(entry.own.target)) return compileTarget(entry, slot, providers, entries.keys());
      const { node, losers } = compileAlias(entry.own.target, trail);
      return { node: node === undefined ? undefined : inherit(node, entry, slot), losers };
    }
    const members = entry.members.map((member, index) => compile(member, index, trail));
    const losers = members.flatMap((member) => member.losers);
    const nodes = members.flatMap((member) => member.node ?? []);
    if (entry.strategy.name === 'canary') checkApart(nodes, entry.path);
    if (nodes.length === 0) return { node: undefined, losers };
    const { path: id, strategy, settings } = entry;
    const group: GroupNode = {
      kind: 'group',
      id,
      strategy,
      settings,
      members: nodes,
      weight: 1,
      slot,
      hash: hashText(id),
    };
    return { node: inherit(group, entry, slot), losers };
  };
  for (const alias of entries.keys()) compileAlias(alias, []);
  return compiled;
}

/** What a canary does must be told from what the stable variant does. */
function checkApart([stable, tried]: readonly RouteNode[], path: string): void {
  if (stable === undefined || tried === undefined) return;
  const ids = new Set(leavesOf(stable).map(({ candidate }) => candidate.id));
  const both = leavesOf(tried).find(({ candidate }) => ids.has(candidate.id));
  if (both !== undefined) {
    throw invalidOptions(`${path}.canary`, `${both.candidate.id} is stable, too; give one of them a version.`);
  }
}

/** What an entry says about everything below it. */
function inherit(node: RouteNode, { weight = node.weight, tags, overrides }: Entry, slot: number): RouteNode {
  const changed =
    tags === undefined && overrides === undefined
      ? node
      : (mapCandidates(node, (candidate) =>
          Object.freeze({
            ...candidate,
            ...(tags !== undefined && { tags: [...(candidate.tags ?? []), ...tags] }),
            ...(overrides !== undefined && {
              overrides: { request: { ...candidate.overrides?.request, ...overrides } },
            }),
          }),
        ) as RouteNode);
  return { ...changed, weight, slot };
}

function planOf(
  { node, losers: absent }: Compiled,
  providers: ReadonlyMap<string, Provider>,
  operation: OperationName,
  revision: number,
  alias?: string,
): Plan {
  const losers: Loser[] = [...absent];
  const able =
    node &&
    mapCandidates(node, (candidate) => {
      const { provider, model } = candidate;
      if (operation === 'raw' || providers.get(provider)?.handlers[operation] !== undefined) return candidate;
      losers.push({ target: `${provider}/${model}`, reason: `provider ${provider} does not do ${operation}` });
      return undefined;
    });
  return { ...(alias !== undefined && { alias }), ...withTree(able), losers, revision };
}

export type * from './registry-configuration.ts';
