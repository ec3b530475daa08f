import { didYouMean } from '../operations/problem.ts';
import { invalidOptions } from './errors.ts';
import type { MiddlewareInfo } from './middleware.ts';
import { anObject } from './options.ts';

/** What a listing shows in place of a secret. Written back, it would replace the secret. */
const MASKED = /^\*{3,}$|\*{4,}|^.{0,8}…|•{3,}|^<?redacted>?$/i;
const FIELDS = ['models', 'options'];

/**
 * Checks the frame of a new configuration: known fields, nothing `null`, no masked preview of a secret. A field that is
 * left out stays as it is; `null` is no way to say so. Throws `invalid-options` naming the path.
 */
export function checkConfiguration(next: unknown, middleware: readonly MiddlewareInfo[]): void {
  if (anObject(next) !== undefined)
    throw invalidOptions('configuration', 'expected an object like { models, options }.');
  for (const [name, value] of Object.entries(next as object)) {
    if (!FIELDS.includes(name)) {
      const why = 'providers, use and stores are code; with() derives a gateway with others';
      throw invalidOptions(name, `is no part of the configuration data; ${why}.${didYouMean(name, FIELDS)}`);
    }
    if (value === null) throw invalidOptions(name, 'is null; leave it out to keep what is in force.');
  }
  const { options } = next as { readonly options?: unknown };
  if (options !== undefined && anObject(options) !== undefined) {
    throw invalidOptions('options', 'expected an object of middleware names, like { cache: { … } }.');
  }
  for (const [name, value] of Object.entries((options ?? {}) as object)) {
    const named = middleware.filter((info) => info.name === name);
    if (named.length === 0) {
      const there = [...new Set(middleware.map((info) => info.name))].join(', ') || 'none';
      throw invalidOptions(`options.${name}`, `no middleware has this name; there are ${there}.`);
    }
    if (anObject(value) !== undefined) throw invalidOptions(`options.${name}`, 'expected an object of options.');
    for (const info of named) {
      if (info.configure === undefined) {
        throw invalidOptions(`options.${name}`, 'it takes none while it runs; give them where it is made.');
      }
      info.configure(value as Readonly<Record<string, unknown>>);
    }
  }
  rejectMasked(next, '', 0);
}

function rejectMasked(value: unknown, path: string, depth: number): void {
  if (typeof value === 'string') {
    if (MASKED.test(value))
      throw invalidOptions(path, 'looks like the masked preview of a value; leave the field out to keep it.');
    return;
  }
  if (typeof value !== 'object' || value === null || depth > 32) return;
  for (const [name, inner] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`;
    rejectMasked(inner, at, depth + 1);
  }
}
