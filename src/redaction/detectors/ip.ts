import { byteAt, classAt, CLASSES, codeAt, DIGIT, HEX, is, LETTER, runEnd } from '../characters.ts';
import { bracketLength, placeholderEndsAt } from '../placeholder.ts';
import type { AnchorDetector } from '../types.ts';
import { BEYOND_ASCII } from '../unit-bytes.ts';

const V6_UNITS_MAX = 45;

/** IPv4 and IPv6 addresses, with the `/24` of a network when there is one. */
export const ipAddress: AnchorDetector = {
  entity: 'IP_ADDRESS',
  score: 0.9,
  anchors: '.:',
  after: ':0123456789ABCDEFabcdef',
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
  if (end < 0 || isInsideV6(text, bytes, start)) return;
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

/** The tail of `::ffff:10.0.0.1` belongs to the IPv6 address before it. */
function isInsideV6(text: string, bytes: Uint8Array, start: number): boolean {
  if (byteAt(bytes, start - 1) !== 58) return false;
  const run = v6Run(text, bytes, start - 1);
  return run !== undefined && isV6(bytes, run.start, run.end);
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
  const run = v6Run(text, bytes, colon);
  if (run === undefined || run.first !== colon) return;
  let { start } = run;
  if (!isV6(bytes, start, run.end)) {
    start = colon + 1;
    if (!isNamed(text, bytes, run.start, colon) || !isV6(bytes, start, run.end)) return;
  }
  report(start, prefixEnd(text, run.end, 128), isWords(bytes, start, run.end) ? 0.4 : undefined);
}

/** No digit at all: `::`, `be::`, `abc::def`. */
function isWords(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) if ((classAt(bytes, index) & DIGIT) !== 0) return false;
  return true;
}

/** `IPv6:2001:db8::1`, as in mail headers: what stands before the first colon names the address. */
const isNamed = (text: string, bytes: Uint8Array, start: number, colon: number): boolean =>
  start === colon
    ? byteAt(bytes, colon - 1) === BEYOND_ASCII
    : /^(?:ip|ipv6|ip6|src|dst|host|addr|from|peer|dns)$/i.test(text.slice(start, colon));

/** The run around a colon, without a trailing `.` or `:`; nothing when it is too long to be an address. */
function v6Run(
  text: string,
  bytes: Uint8Array,
  colon: number,
): { start: number; end: number; first: number } | undefined {
  const next = bytes[colon + 1] as number;
  if (next !== 58 && ((CLASSES[next] as number) & HEX) === 0) return undefined;
  const lower = Math.max(0, colon - V6_UNITS_MAX);
  let start = colon;
  let first = colon;
  while (start > lower && isRun(bytes[start - 1] as number)) {
    start--;
    if (bytes[start] === 58) first = start;
  }
  if (start === lower && start > 0) return undefined;
  const upper = start + V6_UNITS_MAX;
  let end = colon;
  while (end <= upper && isRun(bytes[end] as number)) end++;
  if (end > upper) return undefined;
  while (bytes[end - 1] === 46) end--;
  if (bytes[end - 1] === 58 && byteAt(bytes, end - 2) !== 58) end--;
  // Beside a placeholder it is what is left of something longer.
  if (bytes[end] === 91 && bracketLength(text, end) > 0) return undefined;
  if (byteAt(bytes, start - 1) === 93 && placeholderEndsAt(text, start)) return undefined;
  return end > colon && end - start >= 2 ? { start, end, first } : undefined;
}

const isRun = (code: number): boolean =>
  code === 58 || code === 46 || code === 95 || ((CLASSES[code] as number) & (DIGIT | LETTER)) !== 0;

/** RFC 4291 text forms: groups of up to four hex digits, one `::` for missing ones, perhaps four octets at the end. */
function isV6(bytes: Uint8Array, start: number, end: number): boolean {
  let groups = 0;
  let gap = false;
  let index = bytes[start] === 58 && bytes[start + 1] === 58 ? start : start - 1;
  // Each turn stands at a colon (or right before the address) and reads the group after it.
  while (index < end) {
    if (index >= start && bytes[index] !== 58) return false;
    if (index >= start && index + 1 < end && bytes[index + 1] === 58) {
      if (gap) return false;
      gap = true;
      index++;
      if (index + 1 === end) break;
    }
    let next = index + 1;
    const limit = Math.min(end, index + 6);
    while (next < limit && ((CLASSES[bytes[next] as number] as number) & HEX) !== 0) next++;
    if (next < end && bytes[next] === 46) {
      if (!areOctets(bytes, index + 1, end)) return false;
      groups += 2;
      break;
    }
    if (next === index + 1 || next - index > 5) return false;
    groups++;
    index = next;
  }
  return gap ? groups <= 7 : groups === 8;
}

/** Four numbers up to 255, from one place to the other. */
function areOctets(bytes: Uint8Array, start: number, end: number): boolean {
  let index = start;
  for (let octet = 0; octet < 4; octet++) {
    let value = 0;
    const first = index;
    for (; index < first + 4 && index < end && (classAt(bytes, index) & DIGIT) !== 0; index++)
      value = value * 10 + (bytes[index] as number) - 48;
    if (index === first || index - first > 3 || value > 255) return false;
    if (octet === 3) return index === end;
    if (index === end || bytes[index] !== 46) return false;
    index++;
  }
  return false;
}

/** Past a `/n` that is a prefix length and not the start of a path. */
function prefixEnd(text: string, end: number, bitsMax: number): number {
  if (codeAt(text, end) !== 47) return end;
  const stop = runEnd(text, end + 1, DIGIT, end + 5);
  const next = codeAt(text, stop);
  if (stop === end + 1 || Number(text.slice(end + 1, stop)) > bitsMax) return end;
  return is(text, stop, LETTER) || next === 47 || next === 95 ? end : stop;
}
