import type { Json, JsonObject, Native, Protocol } from '../operations/shared.ts';

/** Lenient readers for vendor JSON: the wrong shape is `undefined`, never a crash. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
export function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
export function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
/** A token count: a whole number of at least 0, else 0. */
export function countOf(value: unknown): number {
  return typeof value === 'number' && value > 0 && Number.isFinite(value) ? Math.floor(value) : 0;
}

/** Text as JSON, or `undefined`. Keys that could reach a prototype are dropped, however they are spelled. */
export function parseJson(text: string): Json | undefined {
  try {
    // The cheap look first: a reviver costs ten times the parse.
    return JSON.parse(text, PROTOTYPE_KEY.test(text) ? dropPrototypeKeys : undefined) as Json;
  } catch {
    return undefined;
  }
}

/** What a key that reaches a prototype may look like in JSON text: `\u005` begins the escape of an underscore. */
const PROTOTYPE_KEY = /__proto__|\\u005|constructor/;

function dropPrototypeKeys(this: unknown, key: string, value: unknown): unknown {
  if (key === '__proto__') return undefined;
  if (key === 'constructor' && recordOf(value)?.['prototype'] !== undefined) return undefined;
  return value;
}

/** Argument text of a tool call. Empty text is `{}`; anything that is not JSON is `invalid` and must not be run. */
export function parseArguments(text: string): { args: Json; invalid?: { message: string } } {
  if (text.trim() === '') return { args: {} };
  const args = parseJson(text);
  return args === undefined ? { args: null, invalid: { message: 'the arguments are not valid JSON' } } : { args };
}

/** Merges one protocol's native fields over what was encoded: objects merge, everything else replaces. */
export function mergeNative<T extends object>(encoded: T, native: Native | undefined, protocol: Protocol): T {
  const fields = native?.[protocol];
  return fields === undefined ? encoded : (mergeObjects(encoded as JsonObject, fields) as T);
}

function mergeObjects(base: JsonObject, over: JsonObject): JsonObject {
  const merged: Record<string, Json> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (key === '__proto__') continue;
    const below = merged[key];
    const bothObjects = recordOf(below) !== undefined && recordOf(value) !== undefined;
    merged[key] = bothObjects ? mergeObjects(below as JsonObject, value as JsonObject) : value;
  }
  return merged;
}

/** Fields of a wire object that are in none of the known names, as the `native` of what it decodes to. */
export function nativeRest(
  wire: Readonly<Record<string, unknown>>,
  known: ReadonlySet<string>,
  protocol: Protocol,
): Native | undefined {
  let rest: Record<string, Json> | undefined;
  for (const key in wire) {
    if (known.has(key) || wire[key] === undefined) continue;
    rest ??= {};
    rest[key] = wire[key] as Json;
  }
  return rest === undefined ? undefined : { [protocol]: rest };
}
