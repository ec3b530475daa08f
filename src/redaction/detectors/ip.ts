import { byteAt, classAt, CLASSES, classOf, codeAt, DIGIT, HEX, is, LETTER, runEnd } from '../characters.ts';
import { bracketLength, placeholderEndsAt } from '../placeholder.ts';
import type { AnchorDetector } from '../types.ts';

const V6_UNITS_MAX = 45;

/** IPv4 and IPv6 addresses, with the `/24` of a network when there is one. */
export const ipAddress: AnchorDetector = {
  entity: 'IP_ADDRESS',
  score: 0.9,
  anchors: '.:',
  at(text, index, report, bytes) {
    if (bytes[index] === 58) v6At(text, bytes, index, report);
    else if ((classAt(bytes, index + 1) & DIGIT) !== 0 && (classAt(bytes, index - 1) & DIGIT) !== 0)
      v4At(text, bytes, index, report);
  },
};

/** Starts at the first dot of a dotted quad. */
function v4At(
  text: string,
  bytes: Uint8Array,
  dot: number,
  report: (start: number, end: number, score?: number) => void,
): void {
  let start = dot;
  while (start > 0 && dot - start < 4 && (classAt(bytes, start - 1) & DIGIT) !== 0) start--;
  if (!bounded(bytes, start, dot)) return;
  const end = quadEnd(bytes, start);
  if (end < 0 || isInsideV6(text, start)) return;
  const zeros = end - start === 7 && text.startsWith('0.0.0.0', start);
  report(start, prefixEnd(text, end, 32), zeros ? 0.5 : undefined);
}

const bounded = (bytes: Uint8Array, start: number, dot: number): boolean =>
  dot - start < 4 &&
  (classAt(bytes, start - 1) & LETTER) === 0 &&
  byteAt(bytes, start - 1) !== 46 &&
  byteAt(bytes, start - 1) !== 95;

/** End of four octets that begin at `start`, or -1. */
function quadEnd(bytes: Uint8Array, start: number): number {
  let index = start;
  for (let octet = 0; octet < 4; octet++) {
    let value = 0;
    let end = index;
    for (; end < index + 4 && (classAt(bytes, end) & DIGIT) !== 0; end++)
      value = value * 10 + (bytes[end] as number) - 48;
    if (end === index || end - index > 3 || value > 255) return -1;
    if (octet === 3) return isOctetsEnd(bytes, end) ? end : -1;
    if (bytes[end] !== 46) return -1;
    index = end + 1;
  }
  return -1;
}

/** Not `1.2.3.4a`, nor the first arcs of an object identifier like `1.3.6.1.4.1`. A fifth number alone may be a slip. */
function isOctetsEnd(bytes: Uint8Array, end: number): boolean {
  if ((classAt(bytes, end) & LETTER) !== 0 || bytes[end] === 95) return false;
  let next = end + 1;
  if (bytes[end] !== 46) return true;
  while (next < end + 8 && (classAt(bytes, next) & DIGIT) !== 0) next++;
  return bytes[next] !== 46 || (classAt(bytes, next + 1) & DIGIT) === 0;
}

/** As {@link quadEnd}, of a text without its bytes. */
function v4End(text: string, start: number): number {
  let index = start;
  for (let octet = 0; octet < 4; octet++) {
    const end = runEnd(text, index, DIGIT, index + 4);
    if (end === index || end - index > 3 || Number(text.slice(index, end)) > 255) return -1;
    if (octet === 3) return is(text, end, LETTER) || codeAt(text, end) === 95 ? -1 : end;
    if (codeAt(text, end) !== 46) return -1;
    index = end + 1;
  }
  return -1;
}

/** The tail of `::ffff:10.0.0.1` belongs to the IPv6 address before it. */
function isInsideV6(text: string, start: number): boolean {
  if (codeAt(text, start - 1) !== 58) return false;
  const run = v6Run(text, start - 1);
  return run !== undefined && isV6(text.slice(run.start, run.end));
}

/** Starts at the first colon of a run of hex digits, colons and dots. */
function v6At(
  text: string,
  bytes: Uint8Array,
  colon: number,
  report: (start: number, end: number, score?: number) => void,
): void {
  // Cheap first: not the first colon, or too long a group before it.
  let group = colon;
  while (colon - group < 5 && (classAt(bytes, group - 1) & (DIGIT | LETTER)) !== 0) group--;
  if (colon - group === 5 || byteAt(bytes, group - 1) === 58) return;
  const next = bytes[colon + 1] as number;
  if (next !== 58 && ((CLASSES[next] as number) & HEX) === 0) return;
  const run = v6Run(text, colon);
  if (run === undefined || run.first !== colon) return;
  const source = text.slice(run.start, run.end);
  if (isV6(source)) report(run.start, prefixEnd(text, run.end, 128), source === '::' ? 0.4 : undefined);
}

/** The run around a colon, without a trailing `.` or `:`; nothing when it is too long to be an address. */
function v6Run(text: string, colon: number): { start: number; end: number; first: number } | undefined {
  const next = codeAt(text, colon + 1);
  if (next !== 58 && !is(text, colon + 1, HEX)) return undefined;
  const lower = Math.max(0, colon - V6_UNITS_MAX);
  let start = colon;
  let first = colon;
  while (start > lower && isRun(codeAt(text, start - 1))) {
    start--;
    if (codeAt(text, start) === 58) first = start;
  }
  if (start === lower && start > 0) return undefined;
  const upper = start + V6_UNITS_MAX;
  let end = colon;
  while (end <= upper && isRun(codeAt(text, end))) end++;
  if (end > upper) return undefined;
  while (codeAt(text, end - 1) === 46) end--;
  if (codeAt(text, end - 1) === 58 && codeAt(text, end - 2) !== 58) end--;
  // Beside a placeholder it is what is left of something longer.
  if (bracketLength(text, end) > 0 || placeholderEndsAt(text, start)) return undefined;
  return end > colon && end - start >= 2 ? { start, end, first } : undefined;
}

const isRun = (code: number): boolean =>
  code === 58 || code === 46 || code === 95 || (classOf(code) & (DIGIT | LETTER)) !== 0;

/** RFC 4291 text forms: groups of up to four hex digits, one `::` for missing ones, perhaps four octets at the end. */
export function isV6(source: string): boolean {
  let groups = 0;
  let gap = false;
  let index = source.startsWith('::') ? 0 : -1;
  // Each turn stands at a colon (or right before the text) and reads the group after it.
  while (index < source.length) {
    if (index >= 0 && codeAt(source, index) !== 58) return false;
    if (index >= 0 && codeAt(source, index + 1) === 58) {
      if (gap) return false;
      gap = true;
      index++;
      if (index + 1 === source.length) break;
    }
    const end = runEnd(source, index + 1, HEX, index + 6);
    if (codeAt(source, end) === 46) {
      if (v4End(source, index + 1) !== source.length) return false;
      groups += 2;
      break;
    }
    if (end === index + 1 || end - index > 5) return false;
    groups++;
    index = end;
  }
  return gap ? groups <= 7 : groups === 8;
}

/** Past a `/n` that is a prefix length and not the start of a path. */
function prefixEnd(text: string, end: number, bitsMax: number): number {
  if (codeAt(text, end) !== 47) return end;
  const stop = runEnd(text, end + 1, DIGIT, end + 5);
  const next = codeAt(text, stop);
  if (stop === end + 1 || Number(text.slice(end + 1, stop)) > bitsMax) return end;
  return is(text, stop, LETTER) || next === 47 || next === 95 ? end : stop;
}
