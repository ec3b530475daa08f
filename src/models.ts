import type { Candidate } from './core/call.ts';
import type { ModelFacts } from './core/model-facts.ts';
import type { Registry } from './core/registry.ts';
import type { Runtime } from './runtime.ts';
import type { Shared } from './shared.ts';

/** One model this gateway can reach. */
export interface ModelInfo extends ModelFacts {
  /** `provider/model`. */
  readonly name: string;
  readonly provider: string;
  readonly model: string;
  /** Aliases that may lead to it. */
  readonly aliases: readonly string[];
  /** Whether its provider lists it itself. */
  readonly listed: boolean;
  readonly regions?: readonly string[];
  readonly versions?: readonly string[];
  /** What to know before it is a problem: that it retires, or has. */
  readonly notices: readonly string[];
}

/** Days before its end that a model is warned about. */
const NOTICE_DAYS = 60;
const DAY_MS = 86_400_000;

interface Found {
  readonly provider: string;
  readonly model: string;
  readonly aliases: Set<string>;
  readonly regions: Set<string>;
  readonly versions: Set<string>;
  listed: boolean;
  candidate: Candidate | undefined;
}

/** Everything that aliases name and providers list, with what configuration and catalogue know of it. */
export async function models(runtime: Runtime): Promise<readonly ModelInfo[]> {
  const { shared, providers } = runtime;
  const found = new Map<string, Found>();
  const at = (provider: string, model: string): Found => {
    const name = `${provider}/${model}`;
    let entry = found.get(name);
    if (entry === undefined) {
      entry = {
        provider,
        model,
        aliases: new Set(),
        regions: new Set(),
        versions: new Set(),
        listed: false,
        candidate: undefined,
      };
      found.set(name, entry);
    }
    return entry;
  };
  const registry = runtime.registry();
  for (const alias of registry.aliases) {
    for (const candidate of registry.targets(alias).candidates) {
      const entry = at(candidate.provider, candidate.model);
      entry.aliases.add(alias);
      entry.candidate ??= candidate;
      if (candidate.region !== undefined) entry.regions.add(candidate.region);
      if (candidate.version !== undefined) entry.versions.add(candidate.version);
    }
  }
  for (const provider of providers.values()) {
    for (const model of provider.models?.() ?? []) at(provider.name, model).listed = true;
  }
  await shared.catalogue.load();
  return [...found].map(([name, { provider, model, aliases, regions, versions, listed, candidate }]) => {
    const facts = shared.routing.facts(candidate ?? { provider, model, id: name });
    return {
      name,
      provider,
      model,
      aliases: [...aliases],
      listed,
      ...(regions.size > 0 && { regions: [...regions] }),
      ...(versions.size > 0 && { versions: [...versions] }),
      ...facts,
      notices: noticesOf(facts, shared.clock.now()),
    };
  });
}

/** Warns of models that retire: once a configuration and once a day, as long as somebody listens. */
export function createNotices({ clock, events, emit, routing }: Shared): (registry: Registry) => void {
  let told: Registry | undefined;
  let toldAt = 0;
  return (registry) => {
    if (!events.has('warning') || (told === registry && clock.now() - toldAt < DAY_MS)) return;
    told = registry;
    toldAt = clock.now();
    for (const message of retiring(registry, routing.facts, toldAt))
      emit('warning', { warning: { code: 'deprecated', message } });
  };
}

function retiring(
  registry: Registry,
  factsOf: (candidate: Candidate) => ModelFacts | undefined,
  nowMs: number,
): ReadonlySet<string> {
  const messages = new Set<string>();
  for (const alias of registry.aliases) {
    for (const candidate of registry.targets(alias).candidates) {
      for (const notice of noticesOf(factsOf(candidate), nowMs)) {
        messages.add(`${candidate.provider}/${candidate.model} (alias ${alias}) ${notice}`);
      }
    }
  }
  return messages;
}

function noticesOf(facts: ModelFacts | undefined, nowMs: number): readonly string[] {
  const { retiresOn, deprecated } = facts ?? {};
  if (retiresOn !== undefined) {
    const days = Math.ceil((Date.parse(retiresOn) - nowMs) / DAY_MS);
    if (days <= 0) return [`was retired on ${retiresOn}; name its successor`];
    if (days <= NOTICE_DAYS) return [`retires on ${retiresOn}, in ${days} days; name its successor`];
  }
  return deprecated === true ? ['is deprecated; name its successor'] : [];
}
