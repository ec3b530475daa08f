import type { Json, JsonSchema } from '../operations/shared.ts';
import { arrayOf, recordOf } from './wire-json.ts';

/** What became of a schema. */
export interface StrictSchema {
  /** The rewritten schema, or the original where it cannot be made strict. */
  readonly schema: JsonSchema;
  readonly strict: boolean;
  /** An answer to the rewritten schema may not fit the original as it stands: see {@link withoutAddedNulls}. */
  readonly changed: boolean;
}

// OpenAI, structured outputs guide, "Supported schemas" (read 2026-11): sizes, keywords and formats strict mode takes.
const DEPTH_MAX = 10;
const PROPERTIES_MAX = 5_000;
const ENUM_VALUES_MAX = 1_000;
const IMPOSSIBLE = [
  ...['allOf', 'not', 'if', 'then', 'else', 'dependentRequired', 'dependentSchemas', 'dependencies'],
  ...['patternProperties', 'propertyNames', 'unevaluatedProperties', 'unevaluatedItems', 'prefixItems', '$dynamicRef'],
];
/** Checks that strict mode does not know. They are told to the model in words instead. */
const UNKNOWN_CHECKS = new Set([
  ...['minLength', 'maxLength', 'uniqueItems', 'contains', 'minContains', 'maxContains'],
  ...['minProperties', 'maxProperties'],
]);
const FORMATS = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid']);
const ANNOTATIONS = new Set(['default', 'examples', '$comment', 'deprecated', 'readOnly', 'writeOnly', 'nullable']);

class NotStrict extends Error {}
interface Progress {
  properties: number;
  enumValues: number;
  changed: boolean;
}

/**
 * Rewrites a schema to what OpenAI's strict mode takes: every property required, no additional ones, an optional
 * `a?: T` as `T | null`. What cannot be said that way (open records, `allOf`, tuples) comes back as it was.
 */
export function strictSchema(schema: JsonSchema): StrictSchema {
  const progress: Progress = { properties: 0, enumValues: 0, changed: false };
  try {
    if (schema['type'] !== 'object') throw new NotStrict();
    return { schema: rewrite(schema, 0, progress), strict: true, changed: progress.changed };
  } catch (error) {
    if (error instanceof NotStrict) return { schema, strict: false, changed: false };
    throw error;
  }
}

function rewrite(value: unknown, depth: number, progress: Progress): JsonSchema {
  const schema = recordOf(value);
  if (schema === undefined || depth > DEPTH_MAX) throw new NotStrict();
  for (const name of IMPOSSIBLE) if (schema[name] !== undefined) throw new NotStrict();
  if (schema['$ref'] !== undefined) return rewriteReference(schema);
  if (!saysSomething(schema)) throw new NotStrict();
  const next: Record<string, unknown> = {};
  const untold: string[] = [];
  for (const [name, part] of Object.entries(schema)) {
    if (ANNOTATIONS.has(name)) continue;
    if (UNKNOWN_CHECKS.has(name) || (name === 'format' && !FORMATS.has(part as string))) {
      untold.push(`${name}: ${JSON.stringify(part)}`);
    } else if (name === 'anyOf' || name === 'oneOf') {
      if (name === 'oneOf') progress.changed = true;
      next['anyOf'] = arrayOf(part).map((option) => rewrite(option, depth, progress));
    } else if (name === 'items') next['items'] = rewrite(part, depth + 1, progress);
    else if (name === '$defs' || name === 'definitions')
      next[name] = mapValues(part, (one) => rewrite(one, 0, progress));
    else next[name] = part;
  }
  progress.enumValues += arrayOf(schema['enum']).length;
  if (isOf(schema, 'object')) Object.assign(next, rewriteObject(schema, depth, progress));
  if (isOf(schema, 'array') && next['items'] === undefined) throw new NotStrict();
  if (untold.length > 0) {
    progress.changed = true;
    next['description'] = [schema['description'], `(${untold.join(', ')})`].filter(Boolean).join(' ');
  }
  if (progress.properties > PROPERTIES_MAX || progress.enumValues > ENUM_VALUES_MAX) throw new NotStrict();
  return schema['nullable'] === true ? orNull(next) : next;
}

/** A reference takes no neighbours, so its description goes around it. */
function rewriteReference(schema: JsonSchema): JsonSchema {
  const reference = { $ref: schema['$ref'] };
  const { description } = schema;
  return description === undefined ? reference : { anyOf: [reference], description };
}

function rewriteObject(schema: JsonSchema, depth: number, progress: Progress): Record<string, unknown> {
  const open = schema['additionalProperties'];
  const properties = recordOf(schema['properties']);
  if ((open !== undefined && open !== false) || properties === undefined) throw new NotStrict();
  const required = new Set(arrayOf(schema['required']));
  const names = Object.keys(properties);
  progress.properties += names.length;
  const rewritten = mapValues(properties, (part, name) => {
    const next = rewrite(part, depth + 1, progress);
    if (required.has(name) || allowsNull(next)) return next;
    progress.changed = true;
    return orNull(next);
  });
  return { properties: rewritten, required: names, additionalProperties: false };
}

/** Whether a schema says anything a strict decoder can follow: `{}` (any value) does not. */
function saysSomething(schema: JsonSchema): boolean {
  return ['type', 'enum', 'const', 'anyOf', 'oneOf'].some((name) => schema[name] !== undefined);
}

function isOf(schema: JsonSchema, type: string): boolean {
  return schema['type'] === type || arrayOf(schema['type']).includes(type);
}

function allowsNull(schema: JsonSchema): boolean {
  if (isOf(schema, 'null') || schema['const'] === null || arrayOf(schema['enum']).includes(null)) return true;
  return arrayOf(schema['anyOf'] ?? schema['oneOf']).some((option) =>
    allowsNull((recordOf(option) ?? {}) as JsonSchema),
  );
}

function orNull(schema: JsonSchema): JsonSchema {
  if (allowsNull(schema)) return schema;
  const { type } = schema;
  if (type !== undefined && schema['enum'] === undefined && schema['const'] === undefined && !isOf(schema, 'object')) {
    return { ...schema, type: [...(Array.isArray(type) ? type : [type]), 'null'] };
  }
  if (Array.isArray(schema['anyOf'])) return { ...schema, anyOf: [...schema['anyOf'], { type: 'null' }] };
  const { description, ...rest } = schema;
  return { anyOf: [rest, { type: 'null' }], ...(description !== undefined && { description }) };
}

function mapValues(value: unknown, map: (part: unknown, name: string) => unknown): Record<string, unknown> {
  const entries = Object.entries(recordOf(value) ?? {});
  return Object.fromEntries(entries.map(([name, part]) => [name, map(part, name)]));
}

/**
 * Takes the nulls out of an answer that {@link strictSchema} made possible: a `null` in a property that the original
 * schema has as optional and not nullable. Give it the original schema, before the answer is checked against it.
 */
export function withoutAddedNulls(value: Json, schema: JsonSchema): Json {
  return strip(value, schema, schema, 0);
}

function strip(value: Json, part: unknown, root: JsonSchema, depth: number): Json {
  const schema = resolve(part, root);
  if (schema === undefined || value === null || typeof value !== 'object' || depth > 64) return value;
  const options = arrayOf(schema['anyOf'] ?? schema['oneOf']);
  if (options.length > 0) {
    const fitting = options.find((option) => fits(value, resolve(option, root)));
    return fitting === undefined ? value : strip(value, fitting, root, depth + 1);
  }
  if (Array.isArray(value)) return value.map((item: Json) => strip(item, schema['items'], root, depth + 1));
  const properties = recordOf(schema['properties']);
  if (properties === undefined) return value;
  const required = arrayOf(schema['required']);
  const kept: [string, Json][] = [];
  for (const [name, item] of Object.entries(value)) {
    const below = resolve(properties[name], root);
    if (item === null && below !== undefined && !required.includes(name) && !nullFits(below, root)) continue;
    kept.push([name, strip(item, below, root, depth + 1)]);
  }
  return Object.fromEntries(kept);
}

function resolve(part: unknown, root: JsonSchema): JsonSchema | undefined {
  const schema = recordOf(part);
  const reference = schema?.['$ref'];
  if (typeof reference !== 'string') return schema;
  if (!reference.startsWith('#')) return undefined;
  let found: unknown = root;
  for (const step of reference.slice(1).split('/').filter(Boolean)) {
    found = recordOf(found)?.[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  }
  return recordOf(found);
}

function nullFits(schema: JsonSchema, root: JsonSchema): boolean {
  if (schema['nullable'] === true || allowsNull(schema)) return true;
  return arrayOf(schema['anyOf'] ?? schema['oneOf']).some((option) => allowsNull(resolve(option, root) ?? {}));
}

/** Whether a value is of the kind an option of a union describes, by its type and its constant properties. */
function fits(value: Json, schema: JsonSchema | undefined): boolean {
  if (schema === undefined) return false;
  if (Array.isArray(value)) return isOf(schema, 'array');
  const object = recordOf(value);
  if (object === undefined || !isOf(schema, 'object')) return false;
  for (const [name, part] of Object.entries(recordOf(schema['properties']) ?? {})) {
    const constant = recordOf(part)?.['const'];
    if (constant !== undefined && object[name] !== constant) return false;
  }
  return arrayOf(schema['required']).every((name) => (name as string) in object);
}
