import { checkJsonSchema } from '../../operations/json-schema-check.ts';
import { issueText } from '../../operations/schema.ts';
import type { Json, JsonSchema } from '../../operations/shared.ts';

const DEPTH_MAX = 8;
const TEXTS: Readonly<Record<string, string>> = {
  date: '2026-01-01',
  time: '12:00:00Z',
  'date-time': '2026-01-01T12:00:00Z',
  duration: 'PT1H',
  email: 'ada@example.com',
  uuid: '00000000-0000-4000-8000-000000000001',
  uri: 'https://example.com/',
  url: 'https://example.com/',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
};
/** Tried in turn where a pattern has to match. */
const CANDIDATES = [
  ...Object.values(TEXTS),
  ...['a', 'A', 'abc', 'Abc', 'ABC', 'AB', '1', '12', '123', '1234', '12345', 'a1', 'A1', 'abc-1', 'ABC-123', 'a_b'],
  ...['#aabbcc', '+15550100', '1.0.0', 'id_1', 'en', 'en-US', 'USD', '12:00', '0'],
];

/**
 * A value that fits a JSON Schema: the same one each time, with every property filled in.
 *
 * @throws Error naming what it could not make, such as an unusual `pattern`.
 */
export function sampleOf(schema: JsonSchema): Json {
  const value = sample(schema, 'value', { root: schema, depth: 0 });
  const issues = checkJsonSchema(schema, value);
  if (issues.length > 0) {
    const what = issues.map(issueText).join('; ');
    throw new Error(`No answer could be made up for this schema (${what}); script one with .output(value).`);
  }
  return value;
}

interface At {
  readonly root: JsonSchema;
  readonly depth: number;
}

function sample(schema: unknown, name: string, at: At): Json {
  if (typeof schema !== 'object' || schema === null || at.depth > DEPTH_MAX) return null;
  const rules = flattened(schema as JsonSchema, at);
  const below = { ...at, depth: at.depth + 1 };
  if ('const' in rules) return rules['const'] as Json;
  if ('default' in rules) return rules['default'] as Json;
  const { enum: values, examples } = rules;
  if (Array.isArray(values) && values.length > 0) return values[0] as Json;
  if (Array.isArray(examples) && examples.length > 0) return examples[0] as Json;
  const choices = (rules['anyOf'] ?? rules['oneOf']) as unknown;
  if (Array.isArray(choices) && choices.length > 0) {
    const { anyOf: _any, oneOf: _one, ...rest } = rules;
    // Deep inside a recursive schema the way out is usually the last choice, like null.
    const choice = (at.depth > DEPTH_MAX / 2 ? choices.at(-1) : choices[0]) as object;
    return sample({ ...rest, ...choice }, name, below);
  }
  switch (typeOf(rules)) {
    case 'object':
      return objectOf(rules, below);
    case 'array':
      return arrayOf(rules, name, below);
    case 'integer':
    case 'number':
      return numberFor(rules);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return textFor(rules, name);
  }
}

/** The rules with references resolved and `allOf` merged in. */
function flattened(schema: JsonSchema, at: At): JsonSchema {
  let rules = schema;
  for (let hops = 0; typeof rules['$ref'] === 'string' && hops < DEPTH_MAX; hops++) {
    const { $ref: reference, ...rest } = rules;
    rules = { ...(resolve(reference as string, at.root) as JsonSchema), ...rest };
  }
  const all = rules['allOf'];
  if (!Array.isArray(all)) return rules;
  const { allOf: _all, ...rest } = rules;
  return all.reduce((merged: JsonSchema, part: JsonSchema) => {
    const other = flattened(part, at);
    return {
      ...merged,
      ...other,
      properties: { ...(merged['properties'] as object), ...(other['properties'] as object) },
      required: [...((merged['required'] as string[]) ?? []), ...((other['required'] as string[]) ?? [])],
    };
  }, rest);
}

function resolve(reference: string, root: JsonSchema): unknown {
  let found: unknown = root;
  for (const step of reference.replace(/^#/, '').split('/').filter(Boolean)) {
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    found = typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[key] : undefined;
  }
  return found ?? {};
}

function typeOf(rules: JsonSchema): string {
  const type = rules['type'];
  if (Array.isArray(type)) return (type.find((one) => one !== 'null') as string | undefined) ?? 'null';
  if (typeof type === 'string') return type;
  if (rules['properties'] !== undefined) return 'object';
  return rules['items'] === undefined ? 'string' : 'array';
}

function objectOf(rules: JsonSchema, at: At): Json {
  const properties = (rules['properties'] ?? {}) as Readonly<Record<string, unknown>>;
  const required = new Set((rules['required'] ?? []) as readonly string[]);
  const result: Record<string, Json> = {};
  for (const [name, property] of Object.entries(properties)) {
    // What may be left out is left out deep inside, so that recursion ends.
    if (required.has(name) || at.depth < DEPTH_MAX / 2) result[name] = sample(property, name, at);
  }
  for (const name of required)
    result[name] ??=
      properties[name] === undefined ? sample(rules['additionalProperties'], name, at) : (result[name] as Json);
  return result;
}

function arrayOf(rules: JsonSchema, name: string, at: At): Json {
  const { prefixItems, items, minItems } = rules;
  const list = Array.isArray(prefixItems) ? prefixItems.map((item) => sample(item, name, at)) : [];
  const least = typeof minItems === 'number' ? minItems : items !== undefined && at.depth < DEPTH_MAX / 2 ? 1 : 0;
  while (list.length < least) {
    const item = sample(items ?? { type: 'string' }, name, at);
    list.push(rules['uniqueItems'] === true && list.length > 0 ? distinct(item, list.length) : item);
  }
  return list;
}

function distinct(item: Json, index: number): Json {
  if (typeof item === 'number') return item + index;
  return typeof item === 'string' ? `${item} ${index + 1}` : item;
}

function numberFor(rules: JsonSchema): number {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = rules as Record<
    string,
    number | undefined
  >;
  const step = multipleOf ?? 1;
  const whole = typeOf(rules) === 'integer';
  let value = minimum ?? (exclusiveMinimum === undefined ? 1 : exclusiveMinimum + (whole ? 1 : 0.5));
  const top = maximum ?? exclusiveMaximum;
  if (top !== undefined && (value > top || (exclusiveMaximum !== undefined && value >= exclusiveMaximum))) {
    value = maximum ?? (exclusiveMaximum as number) - (whole ? 1 : 0.5);
  }
  if (whole || multipleOf !== undefined) value = Math.ceil(value / step) * step;
  return exclusiveMinimum !== undefined && value <= exclusiveMinimum ? value + step : value;
}

function textFor(rules: JsonSchema, name: string): string {
  const { format, pattern, minLength, maxLength } = rules;
  if (typeof format === 'string' && TEXTS[format] !== undefined && pattern === undefined) return TEXTS[format];
  const least = typeof minLength === 'number' ? minLength : 0;
  const most = typeof maxLength === 'number' ? maxLength : Number.POSITIVE_INFINITY;
  const plain = name.padEnd(least, 'x').slice(0, most);
  if (typeof pattern !== 'string') return plain;
  const expression = new RegExp(pattern, 'u');
  const fits = (text: string): boolean => text.length >= least && text.length <= most && expression.test(text);
  return [plain, ...CANDIDATES].find(fits) ?? plain;
}
