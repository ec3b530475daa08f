import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { strictSchema, withoutAddedNulls } from '../../src/core/strict-schema.ts';
import type { JsonSchema } from '../../src/operations/shared.ts';

const object = (properties: Record<string, unknown>, required: string[] = Object.keys(properties)): JsonSchema => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
});

describe('strictSchema', () => {
  it('leaves a schema that is strict already as it is', () => {
    const schema = object({
      city: { type: 'string', description: 'Where' },
      days: { type: 'array', items: { type: 'integer' } },
    });
    expect(strictSchema(schema)).toEqual({ schema, strict: true, changed: false });
  });

  it('makes an optional property required and nullable (E06)', () => {
    const { $schema: _, ...schema } = z.toJSONSchema(z.object({ city: z.string(), note: z.string().optional() }));
    expect(strictSchema(schema as JsonSchema)).toEqual({
      schema: object({ city: { type: 'string' }, note: { type: ['string', 'null'] } }),
      strict: true,
      changed: true,
    });
  });

  it.each([
    ['a string', { type: 'string' }, { type: ['string', 'null'] }],
    ['a nullable string', { type: ['string', 'null'] }, { type: ['string', 'null'] }],
    ['an enum', { enum: ['a', 'b'] }, { anyOf: [{ enum: ['a', 'b'] }, { type: 'null' }] }],
    [
      'a union',
      { anyOf: [{ type: 'string' }, { type: 'number' }] },
      { anyOf: [{ type: 'string' }, { type: 'number' }, { type: 'null' }] },
    ],
    ['a reference', { $ref: '#/$defs/a' }, { anyOf: [{ $ref: '#/$defs/a' }, { type: 'null' }] }],
    ['an object', object({ a: { type: 'string' } }), { anyOf: [object({ a: { type: 'string' } }), { type: 'null' }] }],
  ])('makes %s nullable', (_name, optional, expected) => {
    const { schema } = strictSchema(object({ value: optional }, []));
    expect((schema['properties'] as Record<string, unknown>)['value']).toEqual(expected);
  });

  it.each([
    ['an open record', object({ map: { type: 'object', additionalProperties: { type: 'string' } } })],
    ['an object of anything', object({ map: { type: 'object' } })],
    ['an open object', { ...object({ a: { type: 'string' } }), additionalProperties: true }],
    ['any value', object({ a: {} })],
    ['an intersection', object({ a: { allOf: [{ type: 'string' }] } })],
    ['a tuple', object({ a: { type: 'array', prefixItems: [{ type: 'string' }] } })],
    ['an array of anything', object({ a: { type: 'array' } })],
    ['a root that is no object', { type: 'array', items: { type: 'string' } }],
    ['a root union', { anyOf: [object({}), object({})] }],
    [
      'eleven levels',
      Array.from({ length: 12 }).reduce<JsonSchema>((inner) => object({ a: inner }), { type: 'string' }),
    ],
  ])('gives %s back as it was, not strict', (_name, schema) => {
    const result = strictSchema(schema as JsonSchema);
    expect(result).toEqual({ schema, strict: false, changed: false });
    expect(result.schema).toBe(schema);
  });

  it('tells checks that strict mode does not know in words', () => {
    const { schema, changed } = strictSchema(
      object({ a: { type: 'string', minLength: 3, format: 'uri', default: 'x', description: 'A' } }),
    );
    expect((schema['properties'] as Record<string, unknown>)['a']).toEqual({
      type: 'string',
      description: 'A (minLength: 3, format: "uri")',
    });
    expect(changed).toBe(true);
  });

  it('keeps recursion through $defs, and rewrites inside them', () => {
    const schema = {
      ...object({ next: { $ref: '#/$defs/node' } }),
      $defs: { node: object({ next: { $ref: '#/$defs/node' } }, []) },
    };
    const result = strictSchema(schema);
    expect(result.strict).toBe(true);
    expect(result.schema['$defs']).toEqual({
      node: object({ next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } }),
    });
  });

  it('does not touch its input', () => {
    const schema = object({ a: { type: 'string', minLength: 1 } }, []);
    const before = structuredClone(schema);
    strictSchema(schema);
    expect(schema).toEqual(before);
  });
});

describe('withoutAddedNulls', () => {
  it('takes out the nulls of optional properties and no others (E06)', () => {
    const type = z.object({
      city: z.string(),
      note: z.string().optional(),
      empty: z.string().nullable().optional(),
      inner: z.array(z.object({ a: z.number().optional(), b: z.null() })),
    });
    const answer = { city: 'Oslo', note: null, empty: null, inner: [{ a: null, b: null }] };
    const stripped = withoutAddedNulls(answer, z.toJSONSchema(type) as JsonSchema);
    expect(stripped).toEqual({ city: 'Oslo', empty: null, inner: [{ b: null }] });
    expect(type.parse(stripped)).toEqual(stripped);
  });

  it('finds the option of a union by its constants', () => {
    const type = z.object({
      shape: z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('a'), x: z.number().optional() }),
        z.object({ kind: z.literal('b'), x: z.number().nullable() }),
      ]),
    });
    const schema = z.toJSONSchema(type) as JsonSchema;
    expect(withoutAddedNulls({ shape: { kind: 'a', x: null } }, schema)).toEqual({ shape: { kind: 'a' } });
    expect(withoutAddedNulls({ shape: { kind: 'b', x: null } }, schema)).toEqual({ shape: { kind: 'b', x: null } });
  });
});
