import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Condition, compileCondition } from '../../../src/core/routing/condition.ts';
import { size } from '../../size.ts';
import { bench } from './support.ts';

const { call } = bench({ x: 'p/a' });

/** The slow reference: walks the condition anew for every call, test by test. */
function holds(when: Record<string, unknown>, facts: Record<string, unknown>): boolean {
  let all = true;
  for (const [name, value] of Object.entries(when)) {
    if (name === 'all') all &&= (value as Record<string, unknown>[]).every((part) => holds(part, facts));
    else if (name === 'any') all &&= (value as Record<string, unknown>[]).some((part) => holds(part, facts));
    else if (name === 'not') all &&= !holds(value as Record<string, unknown>, facts);
    else if (typeof value !== 'object') all &&= facts[name] === value;
    else
      for (const [test, operand] of Object.entries(value as object))
        all &&= passes(test, facts[name], operand as never);
  }
  return all;
}
function passes(test: string, value: unknown, operand: never): boolean {
  switch (test) {
    case 'is':
      return value === operand;
    case 'not':
      return value !== operand;
    case 'in':
      return (operand as unknown[]).includes(value);
    case 'notIn':
      return !(operand as unknown[]).includes(value);
    case 'above':
      return typeof value === 'number' && value > operand;
    case 'below':
      return typeof value === 'number' && value < operand;
    case 'atLeast':
      return typeof value === 'number' && value >= operand;
    case 'atMost':
      return typeof value === 'number' && value <= operand;
    case 'startsWith':
      return typeof value === 'string' && value.startsWith(operand);
    case 'contains':
      return typeof value === 'string' && value.includes(operand);
    default:
      return (value !== undefined) === operand;
  }
}

const text = fc.constantFrom('a', 'ab', 'b', 'abc');
const number = fc.integer({ min: 0, max: 4 });
const textTest = fc.oneof(
  text,
  fc.record({ is: text }),
  fc.record({ not: text }),
  fc.record({ in: fc.array(text) }),
  fc.record({ notIn: fc.array(text) }),
  fc.record({ startsWith: text }),
  fc.record({ contains: text }),
  fc.record({ exists: fc.boolean() }),
);
const numberTest = fc.oneof(
  number,
  fc.record({ above: number }),
  fc.record({ below: number, atLeast: number }),
  fc.record({ atMost: number }),
);
const leaf = fc.oneof(
  fc.record({ 'scope.tenant': textTest }),
  fc.record({ 'metadata.tier': textTest, 'request.seed': numberTest }),
  fc.record({ 'request.seed': numberTest }),
  fc.record({ stream: fc.boolean() }),
);
const { condition } = fc.letrec<{ condition: Record<string, unknown> }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf as fc.Arbitrary<Record<string, unknown>>,
    fc.record({ all: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('condition'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ not: tie('condition') }),
  ),
}));

describe('a condition', () => {
  it('agrees with a slow reference for any condition and any call (CFG-04)', () => {
    const facts = fc.record({ tenant: fc.option(text), tier: fc.option(text), seed: number, stream: fc.boolean() });
    fc.assert(
      fc.property(condition, facts, (when, { tenant, tier, seed, stream }) => {
        const compiled = compileCondition(when, 'when');
        const one = call({
          stream,
          scope: tenant === null ? {} : { tenant },
          request: { seed, ...(tier !== null && { metadata: { tier } }) },
        });
        const known = {
          stream,
          'request.seed': seed,
          ...(tenant !== null && { 'scope.tenant': tenant }),
          ...(tier !== null && { 'metadata.tier': tier }),
        };
        expect(compiled(one)).toBe(holds(when, known));
      }),
      { seed: 4, numRuns: size(1_000, 20_000) },
    );
  });

  it('names the path and the fix of what it does not understand', () => {
    const bad: [unknown, string][] = [
      [{}, 'when: a rule that always holds'],
      ['acme', 'when: expected an object'],
      [{ tenant: 'a' }, 'when.tenant: expected a path that begins with scope'],
      [{ 'scope.tenant': { strtsWith: 'a' } }, 'Did you mean startsWith?'],
      [{ inputTokens: { above: '9' } }, 'when.inputTokens.above: expected a number'],
      [{ any: [] }, 'when.any: expected a list'],
      [{ all: [{ stream: true }, { bogus: 1 }] }, 'when.all[1].bogus'],
    ];
    for (const [when, part] of bad) {
      const compile = (): Condition => compileCondition(when, 'when');
      expect(compile).toThrowError(
        expect.objectContaining({ code: 'invalid-options', message: expect.stringContaining(part) }),
      );
    }
  });
});
