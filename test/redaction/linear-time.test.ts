import { describe, expect, it, vi } from 'vitest';
import { everyDetector, redactText } from '../../src/redaction/index.ts';
import { size } from '../size.ts';
import { PUMPS } from './pumps.ts';
import { SAMPLES } from './samples.ts';
import { counted, looksOf } from './work.ts';

vi.mock('../../src/redaction/unit-bytes.ts', async (original) => {
  const own = await original<typeof import('../../src/redaction/unit-bytes.ts')>();
  return {
    ...own,
    takeBytes: (text: string) => counted(own.takeBytes(text)),
    pairsOf: (bytes: Uint8Array) => counted(own.pairsOf(bytes)),
    returnBytes: () => {},
  };
});

const SIZES = size([4000, 8000], [10_000, 20_000, 40_000, 80_000]);
/** Of the worst text, a window of 200 units is looked at by a few detectors at each unit. */
const LOOKS_PER_UNIT_MAX = 250;

function looksAt(text: string): number {
  return looksOf(() => {
    redactText(text, { detectors: everyDetector });
  });
}

describe('every detector is linear (SEC-07)', () => {
  it('counts what is looked at', () => {
    expect(looksAt('a'.repeat(1000))).toBeGreaterThan(1000);
    expect(looksOf(() => /c/.test('abc'))).toBe(3);
  });

  it.each([...PUMPS, ...SAMPLES.map((sample) => `${sample} `)])('on %j, over and over', (pump) => {
    const looks = SIZES.map((units) => looksAt(pump.repeat(Math.ceil(units / pump.length)).slice(0, units)));
    for (const [index, more] of looks.entries()) {
      expect(more).toBeLessThan(LOOKS_PER_UNIT_MAX * (SIZES[index] as number));
      // Twice the text takes twice the work; a quadratic scanner takes four times.
      if (index > 0) expect(more / (looks[index - 1] as number)).toBeLessThan(2.3);
    }
  });

  it('reads the worst text of the common e-mail expression a few times at most (RED-07, P21)', () => {
    const units = size(50_000, 1_000_000);
    const text = `a@${'a-'.repeat(units / 2)}`;
    expect(redactText(text, { detectors: everyDetector }).text).toBe(text);
    expect(looksAt(text)).toBeLessThan(20 * units);
  });
});
