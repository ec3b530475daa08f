import type { ModelEntry, PriceCatalogue, ProviderEntry } from './catalogue.ts';

export interface FoundModel {
  /** Provider and model of the price list, which may be other names than those asked for. */
  readonly provider: string;
  readonly model: string;
  readonly entry: ModelEntry;
  readonly providerEntry: ProviderEntry;
}

/**
 * What may follow a family name: a date, a revision, or a word that does not change the generation. A single digit,
 * as in `claude-sonnet-5` + `-5`, is another generation and never matches.
 */
const VERSION =
  /^(?:[-@:](?:latest|preview|exp|experimental|\d{8}|\d{6}|\d{4}-\d{2}-\d{2}|\d{4}|\d{3}|\d{2}-\d{2}(?:-\d{4}|-\d{2})?|\d{2}-\d{4}|v\d+(?::\d+)?))+$/;
const NAME_LENGTH_MAX = 256;

interface Index {
  readonly exact: ReadonlyMap<string, string>;
  readonly families: ReadonlyMap<string, string>;
  readonly tails: ReadonlyMap<string, string>;
  /** Names asked for before, with what was found. */
  readonly answers: Map<string, FoundModel | undefined>;
}
const ANSWERS_MAX = 1000;
const indexes = new WeakMap<ProviderEntry, Index>();
const aliases = new WeakMap<PriceCatalogue, ReadonlyMap<string, string>>();

/**
 * Finds a model's entry: by its exact name, then by an exact alias, then by a family name plus a date or revision.
 * A name that only resembles a known one is not found.
 */
export function findModel(catalogue: PriceCatalogue, provider: string, model: string): FoundModel | undefined {
  if (model.length > NAME_LENGTH_MAX) return undefined;
  const id = findProvider(catalogue, provider);
  if (id === undefined) return undefined;
  const own = findIn(catalogue, id, model);
  if (own !== undefined) return own;
  for (const fallback of catalogue.providers[id]?.fallbacks ?? []) {
    const found = findIn(catalogue, fallback, model);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The price list's name for a provider. */
export function findProvider(catalogue: PriceCatalogue, provider: string): string | undefined {
  const name = provider.toLowerCase();
  if (Object.hasOwn(catalogue.providers, name)) return name;
  let known = aliases.get(catalogue);
  if (known === undefined) {
    known = new Map(
      Object.entries(catalogue.providers).flatMap(([id, entry]) => (entry.aliases ?? []).map((alias) => [alias, id])),
    );
    aliases.set(catalogue, known);
  }
  return known.get(name);
}

function findIn(catalogue: PriceCatalogue, provider: string, model: string): FoundModel | undefined {
  const providerEntry = catalogue.providers[provider];
  if (providerEntry === undefined) return undefined;
  const index = indexOf(providerEntry);
  if (index.answers.has(model)) return index.answers.get(model);
  const name = model.toLowerCase();
  const id = index.exact.get(name) ?? byFamily(index, name);
  const entry = id === undefined ? undefined : providerEntry.models[id];
  const found = id === undefined || entry === undefined ? undefined : { provider, model: id, entry, providerEntry };
  if (index.answers.size >= ANSWERS_MAX) index.answers.clear();
  index.answers.set(model, found);
  return found;
}

/** Longest family first, so that `gpt-4o-mini-2024-07-18` is never priced as `gpt-4o`. */
function byFamily(index: Index, name: string): string | undefined {
  for (let end = name.length; end > 0; end--) {
    const rest = name.slice(end);
    if (rest !== '' && !VERSION.test(rest)) continue;
    const head = name.slice(0, end);
    const family = index.families.get(head) ?? index.tails.get(head);
    if (family !== undefined) return family;
    for (let start = 1; start < end; start++) {
      const before = head.charCodeAt(start - 1);
      if (before !== 46 && before !== 47) continue;
      const tail = index.tails.get(head.slice(start));
      if (tail !== undefined) return tail;
    }
  }
  return undefined;
}

function indexOf(entry: ProviderEntry): Index {
  const known = indexes.get(entry);
  if (known !== undefined) return known;
  const exact = new Map<string, string>();
  const families = new Map<string, string>();
  const tails = new Map<string, string>();
  const models = Object.entries(entry.models);
  for (const [id] of models) exact.set(id.toLowerCase(), id);
  for (const [id, model] of models) {
    addNames(exact, model.aliases, id);
    addNames(families, model.families, id);
    addNames(tails, model.tails, id);
  }
  const index = { exact, families, tails, answers: new Map() };
  indexes.set(entry, index);
  return index;
}

/** The first entry that claims a name keeps it. */
function addNames(names: Map<string, string>, added: readonly string[] | undefined, id: string): void {
  for (const name of added ?? []) if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), id);
}
