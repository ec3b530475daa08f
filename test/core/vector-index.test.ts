import { describe, expect, it } from 'vitest';
import { memoryVectorIndex } from '../../src/core/vector-index.ts';
import { vectorIndexContract } from '../../src/testing/vector-index-contract.ts';

describe('memoryVectorIndex', () => {
  for (const { name, run } of vectorIndexContract(() => ({ index: memoryVectorIndex({ entriesMax: 8 }) })))
    it(name, run);

  it('refuses a bound that is none', () => {
    expect(() => memoryVectorIndex({ entriesMax: 0 })).toThrow(/entriesMax/);
  });
});
