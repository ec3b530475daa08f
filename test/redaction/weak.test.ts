import { describe, expect, it } from 'vitest';
import { everyDetector } from '../../src/redaction/packs/every.ts';
import { unfold } from '../../src/redaction/shapes.ts';
import type { ShapeDetector } from '../../src/redaction/types.ts';
import { size } from '../size.ts';

const detectors = everyDetector.filter((detector): detector is ShapeDetector => 'shapes' in detector);

/** A generator of numbers below a bound, the same every time. */
function lots(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

function written(shape: string, separator: string, lot: (bound: number) => number): string {
  return unfold(shape).replace(/[9AX_]/g, (unit) => {
    if (unit === '_') return separator;
    return unit === '9' || (unit === 'X' && lot(2) === 0) ? String(lot(10)) : String.fromCharCode(65 + lot(26));
  });
}

describe('detectors that need a word beside a hit', () => {
  it.each(detectors.filter(({ weak }) => weak !== undefined))('$entity scores below 0.5 by itself', (detector) => {
    const { check, likely, separators = ' -', shapes, score, weak } = detector;
    const lot = lots(8);
    const judged = shapes.filter((shape) => weak === 'always' || !shape.includes('_'));
    expect(judged).not.toEqual([]);
    for (let turn = 0; turn < size(2_000, 100_000); turn++) {
      const separator = separators.charAt(lot(separators.length));
      const raw = written(judged[turn % judged.length] ?? '', separator, lot);
      const glance = likely?.(new TextEncoder().encode(raw), 0, raw.length) ?? true;
      const verdict = glance === true ? (check?.(raw.replace(/[^0-9A-Z]/g, ''), raw) ?? true) : glance;
      expect(verdict === true ? score : Number(verdict)).toBeLessThan(0.5);
    }
  });
});
