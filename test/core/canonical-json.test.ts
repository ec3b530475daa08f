import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import { isGatewayError } from '../../src/core/errors.ts';
import { size } from '../size.ts';

const runs = { numRuns: size(500, 20_000), seed: 7 };

/** The same value with every object's keys in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, field]) => [name, shuffled(field)]),
  );
}

const refused = (value: unknown): boolean => {
  try {
    canonicalJson(value);
    return false;
  } catch (error) {
    return isGatewayError(error, 'invalid-request');
  }
};

describe('canonicalJson', () => {
  it('sorts keys by UTF-16 units as RFC 8785 does', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}');
  });

  it('writes numbers as RFC 8785 does', () => {
    expect(canonicalJson([333333333.33333329, 1e30, 4.5, 2e-3, 1e-27, -0, 1e21])).toBe(
      '[333333333.3333333,1e+30,4.5,0.002,1e-27,0,1e+21]',
    );
  });

  it('is insensitive to key order and equal to JSON in content (invariant 9)', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(shuffled(value))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      runs,
    );
  });

  it('never gives two different values one text (invariant 9)', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
        const same = canonicalJson(left) === canonicalJson(right);
        expect(same).toBe(canonicalJson(JSON.parse(canonicalJson(left))) === canonicalJson(right));
        if (same) expect(JSON.parse(JSON.stringify(left))).toEqual(JSON.parse(JSON.stringify(right)));
      }),
      runs,
    );
  });

  it('keeps lone surrogates apart', () => {
    expect(canonicalJson('\ud800')).toBe('"\\ud800"');
    expect(canonicalJson('\ud800')).not.toBe(canonicalJson('\ufffd'));
  });

  it('leaves out undefined fields and honours toJSON', () => {
    expect(canonicalJson({ b: undefined, a: [undefined], d: new Date(0) })).toBe(
      '{"a":[null],"d":"1970-01-01T00:00:00.000Z"}',
    );
  });

  it('keeps a key named __proto__', () => {
    expect(canonicalJson(JSON.parse('{"__proto__":{"x":1},"a":2}'))).toBe('{"__proto__":{"x":1},"a":2}');
  });

  it.each([
    ['a bigint', { n: 1n }],
    ['NaN', [Number.NaN]],
    ['infinity', { x: Number.POSITIVE_INFINITY }],
    ['a function', { f: () => 1 }],
    ['a symbol', [Symbol('s')]],
    ['a map', { m: new Map([[1, 2]]) }],
    ['a set', new Set([1])],
    ['a regular expression', /x/],
    ['bytes', new Uint8Array(2)],
    ['nothing', undefined],
  ])('refuses %s rather than blur it', (_name, value) => {
    expect(refused(value)).toBe(true);
  });

  it('refuses a cycle and a value deeper than 128', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(refused(cycle)).toBe(true);
    let deep: unknown = 1;
    for (let depth = 0; depth < 200; depth++) deep = [deep];
    expect(refused(deep)).toBe(true);
  });
});
