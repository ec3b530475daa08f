import { describe, expect, it } from 'vitest';
import { GUARD_NAMES, guardAgainst, lexicalForm } from '../../src/core/lexical-guards.ts';
import { CONFUSED } from './semantic-collision-pairs.ts';

describe('pairs that vectors confuse (CACHE-08)', () => {
  const pairs = Object.entries(CONFUSED).flatMap(([kind, list]) => list.map((pair) => [kind, ...pair] as const));

  it('are more than 500, and the guards object to every one, both ways', () => {
    expect(pairs.length).toBeGreaterThan(500);
    const guards = new Set(GUARD_NAMES);
    const passed = pairs.filter(([, one, other]) => {
      const [first, second] = [lexicalForm(one), lexicalForm(other)];
      return guardAgainst(first, second, guards) === undefined || guardAgainst(second, first, guards) === undefined;
    });
    expect(passed.map((pair) => pair.join(' | '))).toEqual([]);
  });
});
