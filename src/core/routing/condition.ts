import { invalidOptions } from '../errors.ts';
import { didYouMean } from '../../operations/problem.ts';
import type { Call } from '../call.ts';
import { callValue, pathProblem } from './call-value.ts';

/** Whether a rule holds for a call. */
export type Condition = (call: Call) => boolean;

type Test = (value: unknown) => boolean;

/** What can be asked of a value. A list, like `needs`, is asked whether any of its items fits. */
const TESTS: Readonly<
  Record<string, { readonly takes: string; fits(operand: unknown): boolean; test(operand: never): Test }>
> = {
  is: {
    takes: 'a text, number or boolean',
    fits: isScalar,
    test: (operand: unknown) => some((value) => value === operand),
  },
  not: {
    takes: 'a text, number or boolean',
    fits: isScalar,
    test: (operand: unknown) => none((value) => value === operand),
  },
  in: {
    takes: 'a list',
    fits: Array.isArray,
    test: (operand: readonly unknown[]) => some((value) => operand.includes(value)),
  },
  notIn: {
    takes: 'a list',
    fits: Array.isArray,
    test: (operand: readonly unknown[]) => none((value) => operand.includes(value)),
  },
  above: {
    takes: 'a number',
    fits: isNumber,
    test: (operand: number) => some((value) => isNumber(value) && value > operand),
  },
  below: {
    takes: 'a number',
    fits: isNumber,
    test: (operand: number) => some((value) => isNumber(value) && value < operand),
  },
  atLeast: {
    takes: 'a number',
    fits: isNumber,
    test: (operand: number) => some((value) => isNumber(value) && value >= operand),
  },
  atMost: {
    takes: 'a number',
    fits: isNumber,
    test: (operand: number) => some((value) => isNumber(value) && value <= operand),
  },
  startsWith: {
    takes: 'a text',
    fits: isText,
    test: (operand: string) => some((value) => isText(value) && value.startsWith(operand)),
  },
  contains: {
    takes: 'a text',
    fits: isText,
    test: (operand: string) => some((value) => isText(value) && value.includes(operand)),
  },
  exists: {
    takes: 'true or false',
    fits: (operand) => typeof operand === 'boolean',
    test: (operand: boolean) => (value) => (value !== undefined) === operand,
  },
};

/**
 * Compiles `{ "scope.tenant": "acme", "inputTokens": { "above": 1000 } }`: all of it must hold. `all`, `any` and `not`
 * combine; a function is taken as it is. Throws `invalid-options` naming the path.
 */
export function compileCondition(when: unknown, path: string): Condition {
  if (typeof when === 'function') return (call) => (when as (call: Call) => unknown)(call) === true;
  if (typeof when !== 'object' || when === null || Array.isArray(when)) {
    throw invalidOptions(path, 'expected an object like { "scope.tenant": "acme" }, or a function of the call.');
  }
  const parts = Object.entries(when).map(([name, value]) => compilePart(name, value, `${path}.${name}`));
  if (parts.length === 0) throw invalidOptions(path, 'a rule that always holds belongs into otherwise.');
  return parts.length === 1 ? (parts[0] as Condition) : (call) => parts.every((part) => part(call));
}

function compilePart(name: string, value: unknown, path: string): Condition {
  if (name === 'all' || name === 'any') {
    if (!Array.isArray(value) || value.length === 0) throw invalidOptions(path, 'expected a list of conditions.');
    const parts = value.map((item, index) => compileCondition(item, `${path}[${index}]`));
    return name === 'all' ? (call) => parts.every((part) => part(call)) : (call) => parts.some((part) => part(call));
  }
  if (name === 'not') {
    const inner = compileCondition(value, path);
    return (call) => !inner(call);
  }
  const problem = pathProblem(name);
  if (problem !== undefined) throw invalidOptions(path, `${problem}, or all, any or not.`);
  const tests = testsOf(value, path);
  return (call) => {
    const found = callValue(call, name);
    return tests.every((test) => test(found));
  };
}

function testsOf(value: unknown, path: string): readonly Test[] {
  if (isScalar(value)) return [some((found) => found === value)];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalidOptions(path, 'expected a value, or a test like { "in": ["a", "b"] }.');
  }
  return Object.entries(value).map(([name, operand]) => {
    const test = TESTS[name];
    if (test === undefined) {
      throw invalidOptions(
        `${path}.${name}`,
        `there is no such test; there are ${Object.keys(TESTS).join(', ')}.${didYouMean(name, Object.keys(TESTS))}`,
      );
    }
    if (!test.fits(operand)) throw invalidOptions(`${path}.${name}`, `expected ${test.takes}.`);
    return test.test(operand as never);
  });
}

function some(test: Test): Test {
  return (value) => (Array.isArray(value) ? value.some(test) : test(value));
}
function none(test: Test): Test {
  return (value) => !(Array.isArray(value) ? value.some(test) : test(value));
}
function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}
function isText(value: unknown): value is string {
  return typeof value === 'string';
}
