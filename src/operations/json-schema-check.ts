import type { SchemaIssue } from './schema.ts';
import type { JsonSchema } from './shared.ts';

const DEPTH_MAX = 64;

/** Checks a value against the parts of JSON Schema that models are given: types, shapes, bounds, unions, local refs. */
export function checkJsonSchema(schema: JsonSchema, value: unknown): SchemaIssue[] {
  const issues: SchemaIssue[] = [];
  check(schema, value, [], { root: schema, issues, depth: 0 });
  return issues;
}

interface Checking {
  readonly root: JsonSchema;
  readonly issues: SchemaIssue[];
  readonly depth: number;
}
type Path = readonly (string | number)[];

function check(schema: unknown, value: unknown, path: Path, at: Checking): void {
  if (schema === true || schema === undefined || at.depth > DEPTH_MAX) return;
  if (schema === false) return fail(at, path, 'no value is allowed here');
  if (typeof schema !== 'object' || schema === null) return;
  const rules = schema as JsonSchema;
  const below = { ...at, depth: at.depth + 1 };
  if (typeof rules['$ref'] === 'string') check(resolve(rules['$ref'], at.root), value, path, below);
  const types = rules['type'] === undefined ? [] : [rules['type']].flat();
  if (types.length > 0 && !types.some((type) => hasType(type, value))) {
    return fail(at, path, `expected ${types.join(' or ')}, got ${typeName(value)}`);
  }
  const { enum: values } = rules;
  if (Array.isArray(values) && !values.some((option) => same(option, value)))
    fail(at, path, `expected one of ${JSON.stringify(values)}`);
  if ('const' in rules && !same(rules['const'], value)) fail(at, path, `expected ${JSON.stringify(rules['const'])}`);
  checkUnions(rules, value, path, below);
  if (typeof value === 'string') checkString(rules, value, path, at);
  else if (typeof value === 'number') checkNumber(rules, value, path, at);
  else if (Array.isArray(value)) checkArray(rules, value, path, below);
  else if (typeof value === 'object' && value !== null)
    checkObject(rules, value as Record<string, unknown>, path, below);
}

function checkUnions(rules: JsonSchema, value: unknown, path: Path, at: Checking): void {
  const passes = (option: unknown): boolean => {
    const issues: SchemaIssue[] = [];
    check(option, value, path, { ...at, issues });
    return issues.length === 0;
  };
  for (const option of listOf(rules['allOf'])) check(option, value, path, at);
  const any = listOf(rules['anyOf']);
  if (any.length > 0 && !any.some(passes)) fail(at, path, 'matches none of the allowed forms');
  const one = listOf(rules['oneOf']);
  if (one.length > 0 && one.filter(passes).length !== 1)
    fail(at, path, 'does not match exactly one of the allowed forms');
  if (rules['not'] !== undefined && passes(rules['not'])) fail(at, path, 'matches a form that is not allowed');
}

function checkString(rules: JsonSchema, value: string, path: Path, at: Checking): void {
  const { minLength, maxLength, pattern } = rules;
  if (typeof minLength === 'number' && value.length < minLength) fail(at, path, `shorter than ${minLength} characters`);
  if (typeof maxLength === 'number' && value.length > maxLength) fail(at, path, `longer than ${maxLength} characters`);
  if (typeof pattern === 'string' && !new RegExp(pattern, 'u').test(value)) fail(at, path, `does not match ${pattern}`);
}

function checkNumber(rules: JsonSchema, value: number, path: Path, at: Checking): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = rules;
  if (typeof minimum === 'number' && value < minimum) fail(at, path, `less than ${minimum}`);
  if (typeof maximum === 'number' && value > maximum) fail(at, path, `more than ${maximum}`);
  if (typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum)
    fail(at, path, `not more than ${exclusiveMinimum}`);
  if (typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum)
    fail(at, path, `not less than ${exclusiveMaximum}`);
  if (typeof multipleOf === 'number' && Math.abs(value / multipleOf - Math.round(value / multipleOf)) > 1e-9) {
    fail(at, path, `not a multiple of ${multipleOf}`);
  }
}

function checkArray(rules: JsonSchema, value: readonly unknown[], path: Path, at: Checking): void {
  const { minItems, maxItems, uniqueItems } = rules;
  if (typeof minItems === 'number' && value.length < minItems) fail(at, path, `fewer than ${minItems} items`);
  if (typeof maxItems === 'number' && value.length > maxItems) fail(at, path, `more than ${maxItems} items`);
  if (uniqueItems === true && new Set(value.map((item) => JSON.stringify(item))).size < value.length)
    fail(at, path, 'items repeat');
  const prefix = listOf(rules['prefixItems']);
  for (const [index, item] of value.entries()) {
    check(index < prefix.length ? prefix[index] : rules['items'], item, [...path, index], at);
  }
}

function checkObject(rules: JsonSchema, value: Readonly<Record<string, unknown>>, path: Path, at: Checking): void {
  const properties = (rules['properties'] ?? {}) as Readonly<Record<string, unknown>>;
  for (const name of listOf(rules['required'])) {
    if (!Object.hasOwn(value, String(name))) fail(at, [...path, String(name)], 'is missing');
  }
  for (const [key, item] of Object.entries(value)) {
    if (Object.hasOwn(properties, key)) check(properties[key], item, [...path, key], at);
    else if (rules['additionalProperties'] === false) fail(at, [...path, key], 'is not a known property');
    else check(rules['additionalProperties'], item, [...path, key], at);
  }
}

function resolve(reference: string, root: JsonSchema): unknown {
  if (!reference.startsWith('#')) return undefined;
  let found: unknown = root;
  for (const step of reference.slice(1).split('/').filter(Boolean)) {
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    found = typeof found === 'object' && found !== null ? (found as Record<string, unknown>)[key] : undefined;
  }
  return found;
}

function hasType(type: unknown, value: unknown): boolean {
  if (type === 'integer') return typeof value === 'number' && Number.isInteger(value);
  return type === typeName(value);
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function same(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fail(at: Checking, path: Path, message: string): void {
  at.issues.push({ message, path });
}
