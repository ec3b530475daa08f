import { CLASSES, classOf, codeAt, DIGIT, LETTER, TOKEN } from '../characters.ts';

/** Of a longer value, what is judged. */
export const JUDGED_UNITS = 200;
const JOINED_UNITS = 92;
const GAP_UNITS_MAX = 6;
const PASSWORD_UNITS_MAX = 100;
/** Signs a quoted secret may begin with, and those it may hold. Not those that open a placeholder. */
const OPENING_SIGNS = '(!^&*';
const INNER_SIGNS = '!@#$%^&*()?:~|;';

/** After the operator, spaces and an opening quote; -1 when no value can begin here. */
export function valueStart(text: string, index: number): number {
  let at = index + 1;
  const limit = at + GAP_UNITS_MAX;
  let quoted = false;
  for (; at < limit; at++) {
    const code = codeAt(text, at);
    if (isQuote(code)) quoted = true;
    else if (code !== 32 && code !== 9 && code !== 92 && (quoted || (code !== 61 && code !== 62))) break;
  }
  if (at >= limit) return -1;
  const starts = (classOf(codeAt(text, at)) & TOKEN) !== 0 || (quoted && OPENING_SIGNS.includes(text.charAt(at)));
  return starts ? at : -1;
}

const isQuote = (code: number): boolean => code === 34 || code === 39 || code === 96;

/**
 * Token characters, and a colon between two of them (`cafe:babe`). Trailing dots belong to the sentence. Past the first
 * 92 an `=` or `:` ends the value unless it pads it: otherwise a text of nothing but assignments takes quadratic time.
 */
export function valueEnd(bytes: Uint8Array, start: number): number {
  let end = start;
  for (; isValue(bytes[end] as number); end++) {
    const code = bytes[end] as number;
    if (end - start < JOINED_UNITS || (code !== 61 && code !== 58)) continue;
    while (bytes[end] === 61) end++;
    break;
  }
  while (end > start && (bytes[end - 1] === 46 || bytes[end - 1] === 58) && end - start < JUDGED_UNITS) end--;
  return end;
}

const isValue = (code: number): boolean => ((CLASSES[code] as number) & TOKEN) !== 0 || code === 58;

/** People's passwords have any signs in them: to the closing quote, or to a space, a comma or a bracket. */
export function passwordEnd(text: string, start: number): number {
  const quoted = isQuote(codeAt(text, start - 1));
  let end = start;
  for (; end < text.length && end - start < PASSWORD_UNITS_MAX; end++) {
    const code = codeAt(text, end);
    if (code <= 32 || isQuote(code)) break;
    if (
      !quoted &&
      (code === 44 || code === 59 || code === 41 || code === 93 || code === 125 || code === 62 || code > 127)
    )
      break;
  }
  while (end > start && !quoted && codeAt(text, end - 1) === 46) end--;
  return end;
}

/** A quoted secret with other signs in it goes on to its closing quote, unless a space or a bracket comes first. */
export function quotedEnd(text: string, start: number, end: number): number {
  const quote = codeAt(text, start - 1);
  if (!isQuote(quote) || codeAt(text, end) === quote) return end;
  const limit = start + PASSWORD_UNITS_MAX;
  let at = end;
  while (at < limit && ((classOf(codeAt(text, at)) & TOKEN) !== 0 || INNER_SIGNS.includes(text.charAt(at) || ' ')))
    at++;
  return codeAt(text, at) === quote && !isCall(text.slice(start, at)) ? at : end;
}

/** `get(a1)`: a bracket among fewer than three kinds of signs. */
function isCall(value: string): boolean {
  if (!value.includes('(')) return false;
  let sign = 0;
  for (let index = 0; index < value.length; index++) {
    const code = codeAt(value, index);
    const inName = (classOf(code) & (LETTER | DIGIT)) !== 0 || code === 40 || code === 41 || code === 46 || code === 95;
    if (inName || code === sign) continue;
    if (sign !== 0) return false;
    sign = code;
  }
  return true;
}
