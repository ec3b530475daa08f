import { RequestProblem } from './problem.ts';

/** What is wrong with a value, as the end of a sentence; `undefined` if nothing is. */
export type Check = (value: unknown) => string | undefined;

export const isBoolean: Check = (value) => (typeof value === 'boolean' ? undefined : 'expected true or false');
export const isText: Check = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'expected a text that is not empty';
export const isString: Check = (value) => (typeof value === 'string' ? undefined : 'expected a text');
export const isNumber: Check = (value) =>
  typeof value === 'number' && Number.isFinite(value) ? undefined : 'expected a number';
export const isObject: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? undefined : 'expected an object';
export const isList: Check = (value) => (Array.isArray(value) ? undefined : 'expected a list');
export const isWhole: Check = (value) => (Number.isInteger(value) ? undefined : 'expected a whole number');
export const isWord =
  (...words: string[]): Check =>
  (value) =>
    words.includes(value as string) ? undefined : `expected ${words.join(', ')}`;
export const between =
  (low: number, high: number): Check =>
  (value) =>
    typeof value === 'number' && value >= low && value <= high ? undefined : `expected a number from ${low} to ${high}`;
export const wholeFrom =
  (low: number): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= low ? undefined : `expected a whole number of at least ${low}`;
export const listOf =
  (item: Check): Check =>
  (value) =>
    Array.isArray(value) ? value.map(item).find((problem) => problem !== undefined) : 'expected a list';
export const valuesOf =
  (item: Check): Check =>
  (value) => {
    const problem = isObject(value);
    if (problem !== undefined) return problem;
    const wrong = Object.values(value as object).map(item);
    const first = wrong.find((one) => one !== undefined);
    return first === undefined ? undefined : `${first} as each value`;
  };
/** An object some of whose fields are known. A field that is absent is fine, one that nobody knows is kept. */
export const shape = (fields: Readonly<Record<string, Check>>): Check => {
  const checks = Object.entries(fields);
  return (value) => {
    const problem = isObject(value);
    if (problem !== undefined) return problem;
    for (const [name, check] of checks) {
      const field: unknown = (value as Record<string, unknown>)[name];
      const wrong = field === undefined ? undefined : check(field);
      if (wrong !== undefined) return `${name}: ${wrong}`;
    }
    return undefined;
  };
};

/** What a check of the value at `field` found. Names found on the way in become part of the path. */
export function problemAt(field: string, problem: string, value?: unknown): RequestProblem {
  const [, inner = '', what = problem] = /^((?:[a-zA-Z]+: )*)(.*)$/s.exec(problem) ?? [];
  const path = inner === '' ? field : `${field}.${inner.slice(0, -2).replaceAll(': ', '.')}`;
  return new RequestProblem(path, value === undefined || inner !== '' ? `${what}.` : `${what}, got ${shown(value)}.`);
}

export const isCacheTtl: Check = isWord('5m', '30m', '1h', '12h', '24h');
const hinted = shape({ ttl: isCacheTtl });
/** A prompt-cache breakpoint. */
export const isCacheHint: Check = (value) =>
  value === true || hinted(value) === undefined ? undefined : 'expected true or { ttl }';
/** Fields for protocols, by their names. */
export const isNative: Check = valuesOf(isObject);

/** A value as shown in a message: numbers and short words only, never content. */
function shown(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
