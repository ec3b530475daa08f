import { invalidOptions } from '../core/errors.ts';
import type { PriceCatalogue, PriceSpan, ProviderEntry } from './catalogue.ts';
import { parseDecimal } from './exact.ts';
import type { PriceOverrides } from './overrides.ts';
import { isTokenClass } from './resolve-price.ts';

/**
 * Checks a price list from outside before it is used, whole: one bad price refuses all of it, so that a broken
 * download never makes anything free.
 *
 * @throws GatewayError `invalid-options`, naming the field.
 */
export function checkCatalogue(value: unknown): PriceCatalogue {
  const catalogue = record(value, 'prices');
  if (catalogue.format !== 'postern-prices-1') throw bad('format', 'must be "postern-prices-1"');
  if (catalogue.currency !== 'USD') throw bad('currency', 'must be "USD"');
  if (typeof record(catalogue.source, 'source').date !== 'string') throw bad('source.date', 'must be a date');
  let models = 0;
  for (const [id, provider] of Object.entries(record(catalogue.providers, 'providers'))) {
    models += checkProvider(id, record(provider, id));
  }
  if (models === 0) throw bad('providers', 'must list at least one model');
  // Every field that pricing reads has been looked at above.
  return value as PriceCatalogue;
}

function checkProvider(id: string, provider: Readonly<Record<string, unknown>>): number {
  checkNames(provider, ['aliases', 'fallbacks'], id);
  checkDecimals(provider.multipliers, `${id}.multipliers`);
  checkUnits(provider.units, `${id}.units`);
  const models = Object.entries(record(provider.models, `${id}.models`));
  for (const [name, value] of models) {
    const path = `${id}/${name}`;
    const model = record(value, path);
    checkNames(model, ['aliases', 'families', 'tails'], path);
    if (!Array.isArray(model.prices) || model.prices.length === 0) throw bad(`${path}.prices`, 'must be a list');
    for (const span of model.prices) checkSpan(span, path);
  }
  return models.length;
}

/** Checks prices given in code or configuration. */
export function checkOverrides(overrides: PriceOverrides | undefined): PriceOverrides | undefined {
  for (const [key, span] of Object.entries(overrides ?? {})) {
    if (!key.includes('/')) throw bad(key, 'must be "provider/model", "provider/model@region" or "provider/*"');
    checkSpan(span, key);
  }
  return overrides;
}

export function checkProviders(providers: Readonly<Record<string, ProviderEntry>> | undefined): void {
  for (const [id, provider] of Object.entries(providers ?? {})) checkProvider(id, record(provider, id));
}

function checkSpan(value: PriceSpan | unknown, path: string): void {
  const span = record(value, path);
  for (const [name, rate] of Object.entries(record(span.tokens, `${path}.tokens`))) {
    if (!isTokenClass(name)) throw bad(`${path}.tokens.${name}`, 'is no token class');
    if (typeof rate === 'string') checkDecimal(rate, `${path}.tokens.${name}`);
    else checkSteps(record(rate, `${path}.tokens.${name}`), `${path}.tokens.${name}`);
  }
  checkUnits(span.units, `${path}.units`);
  checkDecimals(span.multipliers, `${path}.multipliers`);
  if (span.effectiveFrom !== undefined && !(Date.parse(String(span.effectiveFrom)) >= 0)) {
    throw bad(`${path}.effectiveFrom`, 'must be an ISO-8601 date');
  }
  if (span.daily !== undefined) {
    const daily = record(span.daily, `${path}.daily`);
    for (const end of ['start', 'end']) {
      if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(String(daily[end]))) throw bad(`${path}.daily.${end}`, 'must be HH:MM');
    }
  }
}

function checkSteps(rate: Readonly<Record<string, unknown>>, path: string): void {
  checkDecimal(rate.base, `${path}.base`);
  if (!Array.isArray(rate.above)) throw bad(`${path}.above`, 'must be a list');
  let last = -1;
  for (const value of rate.above) {
    const step = record(value, `${path}.above`);
    checkDecimal(step.price, `${path}.above.price`);
    if (!Number.isSafeInteger(step.inputTokens) || (step.inputTokens as number) <= last) {
      throw bad(`${path}.above.inputTokens`, 'must be whole numbers, rising');
    }
    last = step.inputTokens as number;
  }
}

function checkUnits(units: unknown, path: string): void {
  if (units === undefined) return;
  for (const [name, rate] of Object.entries(record(units, path))) {
    if (typeof rate === 'string') checkDecimal(rate, `${path}.${name}`);
    else {
      const { price, per } = record(rate, `${path}.${name}`);
      checkDecimal(price, `${path}.${name}.price`);
      if (!Number.isSafeInteger(per) || (per as number) < 1) throw bad(`${path}.${name}.per`, 'must be a whole number');
    }
  }
}

function checkDecimals(values: unknown, path: string): void {
  if (values === undefined) return;
  for (const [name, value] of Object.entries(record(values, path))) checkDecimal(value, `${path}.${name}`);
}

function checkDecimal(value: unknown, path: string): void {
  if (typeof value !== 'string' || parseDecimal(value) === undefined) {
    throw bad(path, 'must be a non-negative decimal as text, like "0.075"');
  }
}

function checkNames(entry: Readonly<Record<string, unknown>>, fields: readonly string[], path: string): void {
  for (const field of fields) {
    const names = entry[field];
    if (names === undefined) continue;
    if (!Array.isArray(names) || names.some((name) => typeof name !== 'string')) {
      throw bad(`${path}.${field}`, 'must be a list of names');
    }
  }
}

function record(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(path, 'must be an object');
  return value as Readonly<Record<string, unknown>>;
}

function bad(field: string, message: string): Error {
  return invalidOptions(field, `${message}.`);
}
