import { describe, expect, it } from 'vitest';
import { inspect, type PrefixDetector, type TokenDetector } from '../../src/redaction/index.ts';
import { BEYOND_ASCII, returnBytes, takeBytes } from '../../src/redaction/unit-bytes.ts';

describe('takeBytes', () => {
  it('gives one byte a unit, in any script, with a 0 behind the last', () => {
    for (const text of ['', 'plain', 'naïve', '漢字 1', '😀', '\ud800', 'x'.repeat(5000), `${'x'.repeat(70_000)}é`]) {
      const bytes = takeBytes(text);
      const codes = Array.from({ length: text.length }, (_, index) => Math.min(text.charCodeAt(index), BEYOND_ASCII));
      expect([...bytes.subarray(0, text.length + 1)]).toEqual([...codes, 0]);
      returnBytes(bytes);
    }
  });

  it('lets a detector read another text meanwhile', () => {
    const nested: TokenDetector = {
      entity: 'NESTED',
      score: 0.9,
      lengthMin: 1,
      lengthMax: 9,
      token(text, start, end, report) {
        expect(inspect('call +44 20 7946 0958 or 10.20.30.40')).not.toEqual([]);
        report(start, end);
      },
    };
    expect(inspect('a1 b2 c3', { detectors: [nested] }).map(({ start }) => start)).toEqual([0, 3, 6]);
  });
});

describe('prefixes', () => {
  const prefixed = (prefix: string, runMin?: number): PrefixDetector => ({
    entity: 'CODE',
    score: 0.9,
    prefixes: [prefix],
    ...(runMin !== undefined && { runMin }),
    from: (_text, start, report) => report(start, start + prefix.length),
  });

  it.each(['Ré:', 'R:', 'Re', 'R 12', 'Reé', 'Ré'])('may have any signs after their first letter: %s', (prefix) => {
    const detectors = [prefixed(prefix)];
    for (const after of ['', ' ', 'é', ' x', '漢', '12'])
      expect(inspect(`see ${prefix}${after}`, { detectors }), JSON.stringify(after)).toHaveLength(1);
  });

  it('are not asked for where a word is shorter than any hit and nothing joins it', () => {
    const detectors = [prefixed('key', 8)];
    expect(inspect('key keys, key; (keyring)', { detectors })).toEqual([]);
    expect(inspect('keyabcde key-1 key_1 key=', { detectors })).toHaveLength(4);
  });
});
