import type { OperationName } from '../operations/index.ts';
import { didYouMean } from '../operations/problem.ts';
import type { Candidate, CandidateOverrides, Loser, Plan } from './call.ts';
import { GatewayError, invalidOptions } from './errors.ts';
import type { Provider } from './provider.ts';

/** One target of an alias, written out. */
export interface TargetConfiguration {
  /** `provider/model`, another alias, or a bare model that one provider lists. */
  readonly target: string;
  readonly weight?: number;
  readonly region?: string;
  readonly credential?: string;
  readonly version?: string;
  readonly tags?: readonly string[];
  /** Request fields replaced when this target is tried, like `{ maxTokens: 500 }`. */
  readonly overrides?: CandidateOverrides['request'];
}
export type AliasConfiguration = string | TargetConfiguration | readonly (string | TargetConfiguration)[];
/** Aliases to targets: the only place with real model names. Plain JSON. */
export type ModelsConfiguration = Readonly<Record<string, AliasConfiguration>>;

/** A compiled, frozen snapshot of the models configuration. */
export interface Registry {
  readonly revision: number;
  readonly models: ModelsConfiguration;
  resolve(name: string, operation: OperationName): Plan;
  readonly aliases: readonly string[];
}

interface Entry extends TargetConfiguration {
  /** Where it stands in the configuration, for messages. */
  readonly path: string;
}

const TARGET_FIELDS = new Set(['target', 'weight', 'region', 'credential', 'version', 'tags', 'overrides']);

/** Checks the configuration as a whole and compiles it. Throws `invalid-options` naming the path and the fix. */
export function compileRegistry(
  models: ModelsConfiguration,
  providers: ReadonlyMap<string, Provider>,
  revision: number,
): Registry {
  if (typeof models !== 'object' || models === null || Array.isArray(models)) {
    throw invalidOptions('models', 'expected an object of aliases, like { fast: "openai/gpt-5-mini" }.');
  }
  const entries = new Map<string, readonly Entry[]>();
  for (const [alias, configured] of Object.entries(models)) entries.set(alias, entriesOf(alias, configured));
  const compiled = new Map<string, readonly (Candidate | Loser)[]>();
  const compile = (alias: string, trail: readonly string[]): readonly (Candidate | Loser)[] => {
    const done = compiled.get(alias);
    if (done !== undefined) return done;
    if (trail.includes(alias))
      throw invalidOptions(`models.${alias}`, `the aliases go in a circle: ${[...trail, alias].join(' -> ')}.`);
    const targets = (entries.get(alias) ?? []).flatMap((entry) =>
      entries.has(entry.target)
        ? compile(entry.target, [...trail, alias]).map((inner) => inherit(inner, entry))
        : [candidateOf(entry, providers, entries.keys())],
    );
    compiled.set(alias, targets);
    return targets;
  };
  for (const alias of entries.keys()) compile(alias, []);
  return Object.freeze({
    revision,
    models,
    aliases: [...entries.keys()],
    resolve(name: string, operation: OperationName): Plan {
      const found = compiled.get(name);
      if (found !== undefined) return planOf(found, providers, operation, revision, name);
      const direct = directTarget(name, providers);
      if (direct === undefined) throw unknownModel(name, entries, providers);
      return planOf([direct], providers, operation, revision);
    },
  });
}

function entriesOf(alias: string, configured: AliasConfiguration): readonly Entry[] {
  if (alias === '' || alias.includes('/')) {
    throw invalidOptions(`models.${alias}`, 'an alias is a name without "/"; provider/model goes on its right side.');
  }
  const list = (Array.isArray(configured) ? configured : [configured]) as readonly (string | TargetConfiguration)[];
  if (list.length === 0) throw invalidOptions(`models.${alias}`, 'an alias needs at least one target.');
  return list.map((item, index) => {
    const path = `models.${alias}${Array.isArray(configured) ? `[${index}]` : ''}`;
    if (typeof item === 'string' && item !== '') return { target: item, path };
    if (typeof item !== 'object' || item === null || typeof item.target !== 'string' || item.target === '') {
      throw invalidOptions(path, 'expected "provider/model", an alias, or { target, … }.');
    }
    for (const field of Object.keys(item)) {
      if (!TARGET_FIELDS.has(field))
        throw invalidOptions(`${path}.${field}`, `is no field of a target.${didYouMean(field, TARGET_FIELDS)}`);
    }
    if (item.weight !== undefined && !(typeof item.weight === 'number' && item.weight >= 0)) {
      throw invalidOptions(`${path}.weight`, 'expected a number of at least 0.');
    }
    return { ...item, path };
  });
}

function candidateOf(
  entry: Entry,
  providers: ReadonlyMap<string, Provider>,
  aliases: Iterable<string>,
): Candidate | Loser {
  const slash = entry.target.indexOf('/');
  if (slash > 0) {
    const provider = entry.target.slice(0, slash);
    // An absent provider is no error: the same configuration serves processes with fewer keys.
    if (!providers.has(provider)) return { target: entry.target, reason: `provider ${provider} is not configured` };
    return makeCandidate(provider, entry.target.slice(slash + 1), providers, entry);
  }
  const listed = listing(entry.target, providers);
  if (listed.length === 1) return makeCandidate(listed[0] as string, entry.target, providers, entry);
  if (listed.length > 1) {
    throw invalidOptions(entry.path, `${entry.target} is listed by ${listed.join(' and ')}; write provider/model.`);
  }
  if (providers.size > 0 && [...providers.values()].every((provider) => provider.models !== undefined)) {
    throw invalidOptions(
      entry.path,
      `${entry.target} is no alias and no model a provider lists.${didYouMean(entry.target, aliases)}`,
    );
  }
  throw invalidOptions(entry.path, `${entry.target} is no alias; write provider/model, like "openai/${entry.target}".`);
}

function makeCandidate(
  provider: string,
  model: string,
  providers: ReadonlyMap<string, Provider>,
  entry?: Entry,
): Candidate {
  const { weight, region, credential, version, tags, overrides } = entry ?? {};
  const identity = providers.get(provider)?.identity ?? provider;
  const id = `${identity}/${model}${region === undefined ? '' : `@${region}`}${credential === undefined ? '' : `#${credential}`}${version === undefined ? '' : `:${version}`}`;
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
  });
}

/** What an entry that points at another alias says about each of its targets. */
function inherit(inner: Candidate | Loser, entry: Entry): Candidate | Loser {
  if ('reason' in inner) return inner;
  const { weight, tags, overrides } = entry;
  return Object.freeze({
    ...inner,
    ...(weight !== undefined && { weight }),
    ...(tags !== undefined && { tags: [...(inner.tags ?? []), ...tags] }),
    ...(overrides !== undefined && { overrides: { request: { ...inner.overrides?.request, ...overrides } } }),
  });
}

function listing(model: string, providers: ReadonlyMap<string, Provider>): string[] {
  return [...providers].filter(([, provider]) => provider.models?.().includes(model)).map(([name]) => name);
}

function directTarget(name: string, providers: ReadonlyMap<string, Provider>): Candidate | undefined {
  const slash = name.indexOf('/');
  if (slash > 0 && providers.has(name.slice(0, slash))) {
    return makeCandidate(name.slice(0, slash), name.slice(slash + 1), providers);
  }
  const listed = listing(name, providers);
  return listed.length === 1 ? makeCandidate(listed[0] as string, name, providers) : undefined;
}

function planOf(
  found: readonly (Candidate | Loser)[],
  providers: ReadonlyMap<string, Provider>,
  operation: OperationName,
  revision: number,
  alias?: string,
): Plan {
  const candidates: Candidate[] = [];
  const losers: Loser[] = [];
  const seen = new Set<string>();
  for (const target of found) {
    if ('reason' in target) losers.push(target);
    else if (providers.get(target.provider)?.handlers[operation] === undefined && operation !== 'raw') {
      losers.push({
        target: `${target.provider}/${target.model}`,
        reason: `provider ${target.provider} does not do ${operation}`,
      });
    } else if (!seen.has(target.id)) {
      seen.add(target.id);
      candidates.push(target);
    }
  }
  return { ...(alias !== undefined && { alias }), candidates, losers, revision };
}

function unknownModel(
  name: string,
  entries: ReadonlyMap<string, unknown>,
  providers: ReadonlyMap<string, Provider>,
): GatewayError {
  const slash = name.indexOf('/');
  const known = `Aliases: ${[...entries.keys()].join(', ') || 'none'}; providers: ${[...providers.keys()].join(', ') || 'none'}.`;
  if (slash > 0) {
    const provider = name.slice(0, slash);
    const hint = didYouMean(provider, providers.keys());
    return new GatewayError('not-found', `model: no provider is named ${provider}.${hint} ${known}`, {
      field: 'model',
      fault: 'caller',
      fallbackable: false,
    });
  }
  if (name === 'default') {
    return new GatewayError(
      'not-found',
      `model: the request names no model and there is no alias "default". ${known}`,
      { field: 'model', fault: 'caller', fallbackable: false },
    );
  }
  const hint = didYouMean(name, entries.keys());
  return new GatewayError(
    'not-found',
    `model: ${name} is no alias and no model that exactly one provider lists; write provider/model.${hint} ${known}`,
    {
      field: 'model',
      fault: 'caller',
      fallbackable: false,
    },
  );
}
