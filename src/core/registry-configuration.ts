import { didYouMean } from '../operations/problem.ts';
import type { CandidateOverrides } from './call.ts';
import { invalidOptions } from './errors.ts';
import { CAPABILITIES, type Capability, type ModelFacts } from './model-facts.ts';
import { anObject } from './options.ts';
import { checkRequestField, normalOverrides } from './registry-overrides.ts';
import type { GroupConfiguration } from './routing/configuration.ts';
import { STRATEGIES } from './routing/strategies/index.ts';
import type { Strategy } from './routing/node.ts';

/** One target of an alias, written out. */
export interface TargetConfiguration {
  /** `provider/model`, another alias, or a bare model that one provider lists. */
  readonly target: string;
  /** Share of the calls, or of the capacity, beside the others of its group. @defaultValue 1 */
  readonly weight?: number;
  /** Where the data goes, like `eu` or `eu-west-1`. */
  readonly region?: string;
  /** Which of its provider's keys, by name. @defaultValue each, as the provider rotates them */
  readonly credential?: string;
  /** Tells two generations of one target apart, in health, metrics and canaries. */
  readonly version?: string;
  readonly tags?: readonly string[];
  /** Request fields replaced when this target is tried, like `{ maxTokens: 500 }`. */
  readonly overrides?: CandidateOverrides['request'];
  /** Tokens of its context window and of its longest answer. @defaultValue what the catalogue knows */
  readonly limits?: NonNullable<ModelFacts['limits']>;
  /** Everything it can do beyond text. Calls that need more go elsewhere. @defaultValue unknown: never excluded */
  readonly capabilities?: readonly Capability[];
  /** US dollars per million tokens: steers, explains, and bills before any price list. @defaultValue what the list knows */
  readonly price?: NonNullable<ModelFacts['price']>;
  /** ISO date after which the vendor no longer serves it. */
  readonly retiresOn?: string;
  /** Request fields it does not take; matters under `strict`. */
  readonly unsupported?: readonly string[];
}
export type NodeConfiguration = string | TargetConfiguration | GroupConfiguration;
export type AliasConfiguration = NodeConfiguration | readonly NodeConfiguration[];
/** Aliases to targets: the only place with real model names. Plain JSON, unless a strategy takes a function. */
export type ModelsConfiguration = Readonly<Record<string, AliasConfiguration>>;

interface EntryBase {
  /** Where it stands in the configuration, for messages. */
  readonly path: string;
  readonly weight: number | undefined;
  readonly tags: readonly string[] | undefined;
  readonly overrides: TargetConfiguration['overrides'];
}
export interface TargetEntry extends EntryBase {
  readonly kind: 'target';
  readonly own: TargetConfiguration;
}
export interface GroupEntry extends EntryBase {
  readonly kind: 'group';
  readonly strategy: Strategy;
  readonly settings: unknown;
  readonly members: readonly Entry[];
}
/** A checked piece of the configuration. */
export type Entry = TargetEntry | GroupEntry;

const TARGET_FIELDS = [
  'target',
  'weight',
  'region',
  'credential',
  'version',
  'tags',
  'overrides',
  'limits',
  'capabilities',
  'price',
  'retiresOn',
  'unsupported',
];
const SHARED_FIELDS = ['strategy', 'targets', 'weight', 'tags', 'overrides'];
const NODE = 'expected "provider/model", an alias, { target, … } or { strategy, targets, … }.';

/** Checks one alias. Throws `invalid-options` naming the path and the fix. */
export function parseAlias(alias: string, configured: unknown): Entry {
  const path = `models.${alias}`;
  if (alias === '' || alias.includes('/')) {
    throw invalidOptions(path, 'an alias is a name without "/"; provider/model goes on its right side.');
  }
  return Array.isArray(configured)
    ? groupOf('ordered', { targets: configured }, path, '')
    : parseNode(configured, path);
}

function parseNode(configured: unknown, path: string): Entry {
  if (typeof configured === 'string' && configured !== '') {
    return {
      kind: 'target',
      path,
      own: { target: configured },
      weight: undefined,
      tags: undefined,
      overrides: undefined,
    };
  }
  if (anObject(configured) !== undefined) throw invalidOptions(path, NODE);
  const fields = configured as Readonly<Record<string, unknown>>;
  if (fields['strategy'] !== undefined) return groupOf(fields['strategy'], fields, path, '.targets');
  if (typeof fields['target'] !== 'string' || fields['target'] === '') throw invalidOptions(path, NODE);
  knownFields(fields, TARGET_FIELDS, path, 'a target');
  checkShared(fields, path);
  checkTarget(fields, path);
  const overrides = normalOverrides(fields['overrides'], `${path}.overrides`);
  const given = configured as TargetConfiguration;
  const own = overrides === undefined ? given : { ...given, overrides };
  return { kind: 'target', path, own, weight: own.weight, tags: own.tags, overrides };
}

function groupOf(name: unknown, fields: Readonly<Record<string, unknown>>, path: string, list: string): GroupEntry {
  const strategy = STRATEGIES.get(name as string);
  if (strategy === undefined) {
    const hint = typeof name === 'string' ? didYouMean(name, STRATEGIES.keys()) : '';
    throw invalidOptions(`${path}.strategy`, `expected one of ${[...STRATEGIES.keys()].join(', ')}.${hint}`);
  }
  const own = Object.keys(strategy.options);
  knownFields(fields, [...SHARED_FIELDS, ...own], path, `strategy ${strategy.name}`);
  for (const option of own) {
    const problem = fields[option] === undefined ? undefined : strategy.options[option]?.(fields[option]);
    if (problem !== undefined) throw invalidOptions(`${path}.${option}`, `${problem}.`);
  }
  checkShared(fields, path);
  const settings = strategy.settings?.(fields, path);
  return {
    kind: 'group',
    path,
    strategy,
    settings,
    members: membersOf(strategy, fields, path, list),
    weight: fields['weight'] as number | undefined,
    tags: fields['tags'] as readonly string[] | undefined,
    overrides: normalOverrides(fields['overrides'], `${path}.overrides`),
  };
}

function membersOf(
  strategy: Strategy,
  fields: Readonly<Record<string, unknown>>,
  path: string,
  list: string,
): readonly Entry[] {
  if (strategy.members !== undefined) {
    if (fields['targets'] !== undefined) {
      throw invalidOptions(
        `${path}.targets`,
        `strategy ${strategy.name} has no targets but ${Object.keys(strategy.options).join(', ')}.`,
      );
    }
    return strategy.members(fields).map(({ path: below, value }) => parseNode(value, path + below));
  }
  const targets = fields['targets'];
  if (!Array.isArray(targets) || targets.length === 0) {
    throw invalidOptions(`${path}${list}`, 'an alias needs at least one target, in a list.');
  }
  return targets.map((item, index) => parseNode(item, `${path}${list}[${index}]`));
}

function knownFields(fields: object, known: readonly string[], path: string, of: string): void {
  for (const field of Object.keys(fields)) {
    if (!known.includes(field))
      throw invalidOptions(`${path}.${field}`, `is no field of ${of}.${didYouMean(field, known)}`);
  }
}

function checkShared({ weight, tags }: Readonly<Record<string, unknown>>, path: string): void {
  if (weight !== undefined && !(typeof weight === 'number' && weight >= 0 && Number.isFinite(weight))) {
    throw invalidOptions(`${path}.weight`, 'expected a number of at least 0.');
  }
  if (tags !== undefined && !isTexts(tags)) throw invalidOptions(`${path}.tags`, 'expected a list of texts.');
}

function checkTarget(fields: Readonly<Record<string, unknown>>, path: string): void {
  for (const name of ['region', 'credential', 'version']) {
    const value = fields[name];
    if (value !== undefined && (typeof value !== 'string' || value === '')) {
      throw invalidOptions(`${path}.${name}`, 'expected a text that is not empty.');
    }
  }
  checkNumbers(fields['limits'], ['context', 'output'], `${path}.limits`, 'tokens');
  checkNumbers(fields['price'], ['input', 'output', 'cacheRead'], `${path}.price`, 'US dollars per million tokens');
  const price = fields['price'] as Partial<NonNullable<ModelFacts['price']>> | undefined;
  if (price !== undefined && (price.input === undefined || price.output === undefined)) {
    throw invalidOptions(`${path}.price`, 'expected both input and output, in US dollars per million tokens.');
  }
  const { capabilities, unsupported, retiresOn } = fields;
  for (const [index, name] of (isTexts(capabilities) ? capabilities : []).entries()) {
    if ((CAPABILITIES as readonly string[]).includes(name)) continue;
    const at = `${path}.capabilities[${index}]`;
    throw invalidOptions(at, `expected one of ${CAPABILITIES.join(', ')}.${didYouMean(name, CAPABILITIES)}`);
  }
  if (capabilities !== undefined && !isTexts(capabilities))
    throw invalidOptions(`${path}.capabilities`, 'expected a list of texts.');
  if (unsupported !== undefined && !isTexts(unsupported))
    throw invalidOptions(`${path}.unsupported`, 'expected a list of request fields.');
  for (const [index, name] of (unsupported ?? []).entries()) checkRequestField(name, `${path}.unsupported[${index}]`);
  if (
    retiresOn !== undefined &&
    !(typeof retiresOn === 'string' && /^\d{4}-\d\d-\d\d/.test(retiresOn) && !Number.isNaN(Date.parse(retiresOn)))
  ) {
    throw invalidOptions(`${path}.retiresOn`, 'expected an ISO date, like "2027-06-30".');
  }
}

function checkNumbers(value: unknown, names: readonly string[], path: string, unit: string): void {
  if (value === undefined) return;
  if (anObject(value) !== undefined) throw invalidOptions(path, `expected an object of ${names.join(', ')}.`);
  knownFields(value as object, names, path, path.slice(path.lastIndexOf('.') + 1));
  for (const [name, number] of Object.entries(value as object)) {
    if (!(typeof number === 'number' && number >= 0))
      throw invalidOptions(`${path}.${name}`, `expected ${unit}, a number of at least 0.`);
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
