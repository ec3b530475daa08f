import { didYouMean } from '../operations/problem.ts';
import { invalidOptions } from './errors.ts';

/** A rule for one option: what is wrong with a value, or `undefined`. */
export type OptionRule = (value: unknown) => string | undefined;

export const milliseconds: OptionRule = (value) =>
  typeof value === 'number' && value >= 0 && Number.isFinite(value) ? undefined : 'expected milliseconds of at least 0';
export const wholeNumber =
  (low: number, high = Number.MAX_SAFE_INTEGER): OptionRule =>
  (value) =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high
      ? undefined
      : `expected a whole number of at least ${low}${high === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${high}`}`;
export const fraction: OptionRule = (value) =>
  typeof value === 'number' && value >= 0 && value <= 1 ? undefined : 'expected a number from 0 to 1';
export const aFunction: OptionRule = (value) => (typeof value === 'function' ? undefined : 'expected a function');
export const aBoolean: OptionRule = (value) => (typeof value === 'boolean' ? undefined : 'expected true or false');
export const aText: OptionRule = (value) => (typeof value === 'string' && value !== '' ? undefined : 'expected a text');
export const aList: OptionRule = (value) => (Array.isArray(value) ? undefined : 'expected a list');
export const anObject: OptionRule = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'expected an object';
export const anything: OptionRule = () => undefined;
export const oneOf =
  (...choices: readonly string[]): OptionRule =>
  (value) =>
    choices.includes(value as string) ? undefined : `expected ${choices.join(', ')}`;
/** A list of some of these. */
export const listOf =
  (...choices: readonly string[]): OptionRule =>
  (value) =>
    Array.isArray(value) && value.every((item) => choices.includes(item as string))
      ? undefined
      : `expected a list of ${choices.join(', ')}`;

/** Checks a factory's options at once: no unknown name, no wrong value. Throws `invalid-options` naming the field. */
export function checkOptions(factory: string, options: object, rules: Readonly<Record<string, OptionRule>>): void {
  if (anObject(options) !== undefined) throw invalidOptions(factory, 'expected an object of options.');
  for (const [name, value] of Object.entries(options)) {
    const rule = rules[name];
    if (rule === undefined) {
      throw invalidOptions(`${factory}.${name}`, `there is no such option.${didYouMean(name, Object.keys(rules))}`);
    }
    const problem = value === undefined ? undefined : rule(value);
    if (problem !== undefined) throw invalidOptions(`${factory}.${name}`, `${problem}.`);
  }
}
