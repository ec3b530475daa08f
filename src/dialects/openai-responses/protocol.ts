import type { Json, JsonObject, Native } from '../../operations/shared.ts';

/** The id of this protocol: `native` keys, `origin.protocol`, `fallback` rules. */
export const PROTOCOL = 'openai-responses';

/** One object of the wire, as read. */
export type Wire = Readonly<Record<string, unknown>>;
/** One object of the wire, as written. */
export type Written = Record<string, Json>;

/** This protocol's own fields of a part, message, tool or request. */
export function nativeOf(holder: { readonly native?: Native }): JsonObject | undefined {
  return holder.native?.[PROTOCOL];
}

/** Fields as `native`, or nothing at all where there are none. */
export function asNative(fields: Readonly<Record<string, unknown>>): { native?: Native } {
  for (const name in fields) {
    if (fields[name] !== undefined) return { native: { [PROTOCOL]: withoutUndefined(fields) } };
  }
  return {};
}

/** Every field whose name is not among the known ones. */
export function restOf(wire: Wire, known: ReadonlySet<string>): Written {
  const rest: Written = {};
  for (const name in wire) if (!known.has(name) && wire[name] !== undefined) rest[name] = wire[name] as Json;
  return rest;
}

function withoutUndefined(fields: Readonly<Record<string, unknown>>): JsonObject {
  const kept: Written = {};
  for (const name in fields) if (fields[name] !== undefined) kept[name] = fields[name] as Json;
  return kept;
}

/** Ids that a door made up. No server knows them, so they are never sent to one. */
export function isMinted(id: string): boolean {
  return /^[a-z]+_ptn_/.test(id);
}
