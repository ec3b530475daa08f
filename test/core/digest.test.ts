import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digest, digestFields, keyedDigest } from '../../src/core/digest.ts';
import { storeKey } from '../../src/core/store.ts';
import * as node from '../../src/platform/node.ts';
import * as web from '../../src/platform/web.ts';
import { size } from '../size.ts';

const runs = { numRuns: size(300, 5_000), seed: 11 };
const bytes = fc.uint8Array({ maxLength: 300 });

describe('digest', () => {
  it('is SHA-256 and HMAC-SHA-256 in full length (CACHE-12)', () => {
    expect(digest('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(keyedDigest('Jefe', 'what do ya want for nothing?')).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
    expect(digestFields(['a'])).toHaveLength(64);
    expect(digestFields(['a'], 'secret')).toHaveLength(64);
  });

  it('is the same on every platform', () => {
    fc.assert(
      fc.property(bytes, bytes, fc.string({ unit: 'binary' }), (secret, data, text) => {
        expect(web.sha256(data)).toBe(node.sha256(data));
        expect(web.sha256(text)).toBe(node.sha256(text));
        expect(web.hmacSha256(secret, data)).toBe(node.hmacSha256(secret, data));
      }),
      runs,
    );
  });

  it('gives different field lists different keys (CACHE-12)', () => {
    const field = fc.string({ unit: fc.constantFrom('1', '2', ':', 'a', ''), maxLength: 6 });
    fc.assert(
      fc.property(fc.array(field, { maxLength: 4 }), fc.array(field, { maxLength: 4 }), (left, right) => {
        expect(storeKey(left) === storeKey(right)).toBe(JSON.stringify(left) === JSON.stringify(right));
        expect(digestFields(left) === digestFields(right)).toBe(JSON.stringify(left) === JSON.stringify(right));
      }),
      { ...runs, numRuns: size(2_000, 50_000) },
    );
  });

  it('shares no prefix shortcut: keys that agree in the first 20 characters stay apart (CACHE-12)', () => {
    const head = 'eyJhbGciOiJIUzI1NiIs';
    expect(digest(`${head}alice`)).not.toBe(digest(`${head}mallory`));
  });
});
