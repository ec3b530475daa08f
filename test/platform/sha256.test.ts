import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hmacSha256, sha256 } from '../../src/platform/sha256.ts';
import * as web from '../../src/platform/web.ts';

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

it('equals the platform\u2019s SHA-256 and HMAC on any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 150 }), (message, key) => {
      expect(hexOf(sha256(message))).toBe(createHash('sha256').update(message).digest('hex'));
      expect(web.sha256(message)).toBe(hexOf(sha256(message)));
      expect(web.hmacSha256(key, message)).toBe(hexOf(hmacSha256(key)(message)));
      expect(hexOf(hmacSha256(key)(message))).toBe(createHmac('sha256', key).update(message).digest('hex'));
    }),
    { numRuns: 300, seed: 1 },
  );
});
