import { arrayOf, recordOf, stringOf } from '../../core/wire-json.ts';
import type { Json, JsonSchema } from '../../operations/shared.ts';
import type { Wire } from './encoding.ts';

/** String formats that structured output enforces (`transform-json-schema` of @anthropic-ai/sdk 1.12.0). */
const FORMATS = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid']);
/** Keywords that mean here what they mean everywhere. */
const KEPT = new Set(['type', 'description', 'title', 'enum', 'const', 'required', '$ref', 'default']);
const MAPS = new Set(['properties', '$defs', 'definitions']);
const LISTS = new Set(['anyOf', 'oneOf', 'allOf']);
const IGNORED = new Set(['$schema', '$id', '$comment']);

export interface PlainSchema {
  readonly schema: Wire;
  /** Whether anything was taken out, so that the answer has to be checked by us. */
  readonly changed: boolean;
}

/**
 * A schema in the part of JSON Schema that structured output takes. Keywords it does not know move into the
 * `description`, where the model reads them; `oneOf` becomes `anyOf`; objects are closed.
 */
export function plainSchema(schema: JsonSchema): PlainSchema {
  const state = { changed: false };
  return { schema: rewrite(schema, state), changed: state.changed };
}

function rewrite(schema: Readonly<Record<string, unknown>>, state: { changed: boolean }): Wire {
  const plain: Wire = {};
  const moved: string[] = [];
  for (const [key, value] of Object.entries(schema)) {
    if (IGNORED.has(key) || value === undefined) continue;
    if (MAPS.has(key)) plain[key] = mapValues(value, state);
    else if (LISTS.has(key)) plain[key === 'oneOf' ? 'anyOf' : key] = arrayOf(value).map((item) => child(item, state));
    else if (key === 'items') plain[key] = child(value, state);
    else if (KEPT.has(key) || isKept(key, value)) plain[key] = value as Json;
    else moved.push(`${key}: ${JSON.stringify(value)}`);
  }
  if (isObject(schema)) {
    if (schema['additionalProperties'] !== false && schema['additionalProperties'] !== undefined) state.changed = true;
    plain['additionalProperties'] = false;
  }
  if (moved.length > 0) {
    state.changed = true;
    const before = stringOf(plain['description']);
    plain['description'] = `${before === undefined ? '' : `${before}\n\n`}{${moved.join(', ')}}`;
  }
  return plain;
}

function isKept(key: string, value: unknown): boolean {
  if (key === 'format') return FORMATS.has(String(value));
  if (key === 'minItems') return value === 0 || value === 1;
  // Closing an object is done for all of them.
  return key === 'additionalProperties';
}

function isObject(schema: Readonly<Record<string, unknown>>): boolean {
  const type = schema['type'];
  return type === 'object' || (Array.isArray(type) && type.includes('object')) || schema['properties'] !== undefined;
}

function child(value: unknown, state: { changed: boolean }): Json {
  const schema = recordOf(value);
  return schema === undefined ? (value as Json) : rewrite(schema, state);
}

function mapValues(value: unknown, state: { changed: boolean }): Wire {
  const entries = Object.entries(recordOf(value) ?? {}).map(([name, schema]) => [name, child(schema, state)]);
  return Object.fromEntries(entries) as Wire;
}
