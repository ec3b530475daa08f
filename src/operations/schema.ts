import type { JsonSchema } from './shared.ts';

/** Any library that speaks Standard Schema: zod, valibot, arktype, … (standardschema.dev, read 2026-11). */
export interface StandardSchema<T = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate?: (value: unknown) => SchemaVerdict<T> | Promise<SchemaVerdict<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
    readonly jsonSchema?: unknown;
  };
}
export type SchemaVerdict<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
export type SchemaLike<T = unknown> = StandardSchema<T> | JsonSchema;
/** What a schema's values are; `unknown` for plain JSON Schema. */
export type Infer<S> = S extends StandardSchema<infer T> ? T : unknown;

export function isStandardSchema(value: unknown): value is StandardSchema {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value;
}

/** The JSON Schema of what a schema accepts, or why there is none. */
export function jsonSchemaOf(schema: SchemaLike): { schema: JsonSchema } | { problem: string } {
  if (!isStandardSchema(schema)) return { schema };
  const { vendor, jsonSchema } = schema['~standard'];
  const convert = (jsonSchema as { input?: (options: { target: string }) => JsonSchema } | undefined)?.input;
  try {
    if (typeof convert === 'function') return { schema: convert({ target: 'draft-2020-12' }) };
    // ArkType's own name for it.
    const own: unknown = Reflect.get(schema as object, 'toJsonSchema');
    if (typeof own === 'function') return { schema: own.call(schema) as JsonSchema };
  } catch (error) {
    return { problem: `${vendor} cannot express this schema as JSON Schema (${(error as Error).message})` };
  }
  return {
    problem: `${vendor} gives no JSON Schema; use a version with Standard JSON Schema, or pass JSON Schema itself`,
  };
}

/** Checks and converts a value with a Standard Schema, or checks it with JSON Schema. */
export async function validateWith<T>(schema: SchemaLike<T>, value: unknown): Promise<SchemaVerdict<T>> {
  if (isStandardSchema(schema)) {
    const validate = schema['~standard'].validate;
    return validate === undefined ? { value: value as T } : await validate(value);
  }
  const { checkJsonSchema } = await import('./json-schema-check.ts');
  const issues = checkJsonSchema(schema, value);
  return issues.length > 0 ? { issues } : { value: value as T };
}

/** An issue as one line: where, and what is wrong. */
export function issueText(issue: SchemaIssue): string {
  const path = (issue.path ?? []).map((key) => String(typeof key === 'object' ? key.key : key)).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}

/** Drops nulls where the schema has an optional property that may not be null: OpenAI's strict mode sends them. */
export function withoutStrictNulls(value: unknown, schema: unknown): unknown {
  if (typeof value !== 'object' || value === null || typeof schema !== 'object' || schema === null) return value;
  if (Array.isArray(value)) {
    const items = (schema as JsonSchema)['items'];
    return value.map((item) => withoutStrictNulls(item, items));
  }
  const properties = ((schema as JsonSchema)['properties'] ?? {}) as Readonly<Record<string, unknown>>;
  const required = new Set(((schema as JsonSchema)['required'] ?? []) as readonly string[]);
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    const property = properties[key];
    if (item === null && property !== undefined && !required.has(key) && !allowsNull(property)) continue;
    result[key] = withoutStrictNulls(item, property);
  }
  return result;
}

function allowsNull(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return true;
  const { type, anyOf, oneOf, enum: values, const: constant } = schema as JsonSchema;
  if (type === 'null' || (Array.isArray(type) && type.includes('null'))) return true;
  if (Array.isArray(values)) return values.includes(null);
  if (constant !== undefined) return constant === null;
  const choices = (anyOf ?? oneOf) as unknown;
  if (Array.isArray(choices)) return choices.some(allowsNull);
  return type === undefined && !('$ref' in schema);
}
