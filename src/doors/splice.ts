import type { Json, JsonObject } from '../operations/shared.ts';
import { type Span, spansOf } from './json-spans.ts';

/** A replacement of `[start, end)` of the text. */
interface Change {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Carries the difference between two bodies over into the text the first one was read from. Only the spans of what
 * differs change: everything else keeps its spelling, key order, numbers beyond 2^53 and unknown fields.
 *
 * @param before What the dialect makes of the text unedited.
 * @param after What it makes of the edited request.
 * @param depth `values` changes single values and list items; `keys` writes each top-level key that differs anew.
 */
export function splice(
  text: string,
  before: JsonObject,
  after: JsonObject,
  depth: 'values' | 'keys',
): string | undefined {
  const root = spansOf(text);
  if (root?.members === undefined) return undefined;
  return apply(text, objectChanges(root, before, after, depth === 'values'));
}

/** The text with one top-level value replaced. */
export function spliceKey(text: string, key: string, value: Json): string | undefined {
  const root = spansOf(text);
  const span = root === undefined ? undefined : memberOf(root, key);
  return span === undefined ? undefined : apply(text, [replaced(span, value)]);
}

function apply(text: string, changes: readonly Change[]): string {
  let result = '';
  let at = 0;
  for (const change of changes.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    result += text.slice(at, change.start) + change.text;
    at = change.end;
  }
  return result + text.slice(at);
}

function replaced(span: Span, value: Json): Change {
  return { start: span.start, end: span.end, text: JSON.stringify(value) };
}

function changesOf(span: Span, before: Json | undefined, after: Json): Change[] {
  if (sameJson(before, after)) return [];
  if (isObject(before) && isObject(after) && span.members !== undefined) {
    return objectChanges(span, before, after, true);
  }
  if (Array.isArray(before) && Array.isArray(after) && span.items?.length === before.length) {
    return arrayChanges(span, span.items, before, after);
  }
  // Content given as a text stays one, where the dialect speaks of a single block of text.
  const text = span.quoted === true && soleText(before) !== undefined ? soleText(after) : undefined;
  return [replaced(span, text ?? after)];
}

/** The text of a list with nothing but one plain block of text. */
function soleText(value: Json | undefined): string | undefined {
  if (!Array.isArray(value) || value.length !== 1) return undefined;
  const [block] = value as readonly Json[];
  if (!isObject(block) || Object.keys(block).some((key) => key !== 'type' && key !== 'text')) return undefined;
  return typeof block['text'] === 'string' ? block['text'] : undefined;
}

function objectChanges(span: Span, before: JsonObject, after: JsonObject, deep: boolean): Change[] {
  const changes: Change[] = [];
  const gone = new Set<string>();
  const added: string[] = [];
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const next = after[name];
    if (sameJson(before[name], next)) continue;
    const value = memberOf(span, name);
    if (next === undefined) gone.add(name);
    else if (value === undefined) added.push(`${JSON.stringify(name)}:${JSON.stringify(next)}`);
    else changes.push(...(deep ? changesOf(value, before[name], next) : [replaced(value, next)]));
  }
  return [...changes, ...removals(span, gone), ...insertion(span, gone, added)];
}

/** Takes members out, each with one of the commas beside it. */
function removals(span: Span, gone: ReadonlySet<string>): Change[] {
  const members = span.members ?? [];
  const changes: Change[] = [];
  const lastKept = members.findLastIndex((member) => !gone.has(member.name));
  for (const [index, member] of members.entries()) {
    if (!gone.has(member.name)) continue;
    const next = members[index + 1];
    const previous = members[index - 1];
    if (index < lastKept && next !== undefined) changes.push({ start: member.start, end: next.start, text: '' });
    else changes.push({ start: previous?.value.end ?? member.start, end: member.value.end, text: '' });
  }
  return changes;
}

function insertion(span: Span, gone: ReadonlySet<string>, added: readonly string[]): Change[] {
  if (added.length === 0) return [];
  const members = span.members ?? [];
  const at = members.at(-1)?.value.end ?? span.start + 1;
  const first = members.every((member) => gone.has(member.name));
  return [{ start: at, end: at, text: `${first ? '' : ','}${added.join(',')}` }];
}

function arrayChanges(span: Span, items: readonly Span[], before: readonly Json[], after: readonly Json[]): Change[] {
  if (before.length === after.length) {
    return items.flatMap((item, index) => changesOf(item, before[index], after[index] as Json));
  }
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && sameJson(before[head], after[head])) head++;
  let tail = 0;
  while (tail < shorter - head && sameJson(before.at(-1 - tail), after.at(-1 - tail))) tail++;
  const until = before.length - tail;
  const fresh = after.slice(head, after.length - tail).map((value) => JSON.stringify(value));
  const first = items[head];
  const last = items[until - 1];
  if (until > head && fresh.length > 0 && first !== undefined && last !== undefined) {
    return [{ start: first.start, end: last.end, text: fresh.join(',') }];
  }
  if (until > head) return itemRemoval(items, head, until);
  if (first !== undefined) return [{ start: first.start, end: first.start, text: `${fresh.join(',')},` }];
  const at = items.at(-1)?.end;
  const comma = at === undefined ? '' : ',';
  return [{ start: at ?? span.start + 1, end: at ?? span.start + 1, text: comma + fresh.join(',') }];
}

function itemRemoval(items: readonly Span[], from: number, until: number): Change[] {
  const first = items[from] as Span;
  const last = items[until - 1] as Span;
  const next = items[until];
  if (next !== undefined) return [{ start: first.start, end: next.start, text: '' }];
  return [{ start: items[from - 1]?.end ?? first.start, end: last.end, text: '' }];
}

function memberOf(span: Span, name: string): Span | undefined {
  return span.members?.findLast((member) => member.name === name)?.value;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether two JSON values are the same, whatever the order of keys. An absent field and `undefined` are one. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, at) => sameJson(item, b[at]))
    );
  }
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => sameJson(left[key], right[key]));
}
