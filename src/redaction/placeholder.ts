import { codeAt } from './characters.ts';

/** Letters in a tag: 26^14 is 65.8 bits. Letters only, so that no detector takes a tag for a number. */
export const TAG_UNITS = 14;
const NAME_UNITS_MAX = 64;

/** `[EMAIL_ADDRESS_qkzv…]` with a tag, `[EMAIL_ADDRESS]` without. Holds nothing that JSON, HTML or a URL would escape oddly. */
export function placeholder(entity: string, tag?: string): string {
  const mask = maskOf(entity);
  return tag === undefined ? mask : `${mask.slice(0, -1)}_${tag}]`;
}

const MASKS_MAX = 1000;
const masks = new Map<string, string>();

function maskOf(entity: string): string {
  const known = masks.get(entity);
  if (known !== undefined) return known;
  const mask = `[${entity.toUpperCase().replaceAll('-', '_')}]`;
  if (masks.size < MASKS_MAX) masks.set(entity, mask);
  return mask;
}

/**
 * Length of the placeholder that begins at `index`, 0 when there is none. Backslashes count as part of the name: models
 * escape `_` in Markdown. A name with more than three digits is a number in brackets, not a name.
 */
export function placeholderLength(text: string, index: number): number {
  const length = bracketLength(text, index);
  return length > TAG_UNITS + 3 && isTag(codeAt(text, index + length - 2)) ? length : 0;
}

/** As {@link placeholderLength}, and also for the `[EMAIL_ADDRESS]` that `mask` leaves. */
export function bracketLength(text: string, index: number): number {
  if (codeAt(text, index) !== 91) return 0;
  let digits = 0;
  let end = index + 1;
  for (let code = codeAt(text, end); end - index <= NAME_UNITS_MAX && isName(code); code = codeAt(text, ++end)) {
    if (code >= 48 && code <= 57) digits++;
  }
  if (end - index < 3 || digits > 3) return 0;
  const tag = end;
  while (end - tag <= TAG_UNITS && isTag(codeAt(text, end))) end++;
  if (codeAt(text, end) !== 93) return 0;
  const tagged = end - tag;
  if (tagged !== 0 && (tagged !== TAG_UNITS || codeAt(text, tag - 1) !== 95)) return 0;
  return end + 1 - index;
}

/** The tag of a placeholder whose length is known. */
export function tagOf(text: string, index: number, length: number): string {
  const close = index + length - 1;
  return text.slice(close - TAG_UNITS, close);
}

/** Whether a placeholder or a mask ends right before `end`. */
export function placeholderEndsAt(text: string, end: number): boolean {
  if (codeAt(text, end - 1) !== 93) return false;
  const limit = Math.max(0, end - NAME_UNITS_MAX - TAG_UNITS - 2);
  let open = end - 2;
  while (open >= limit && codeAt(text, open) !== 91 && codeAt(text, open) !== 93) open--;
  return open >= limit && bracketLength(text, open) === end - open;
}

/** Whether `text`, which runs to its end from `index`, may be the beginning of a placeholder. */
export function mayOpenPlaceholder(text: string, index: number): boolean {
  let end = index + 1;
  while (end < text.length && isName(codeAt(text, end))) end++;
  const tag = end;
  while (end < text.length && isTag(codeAt(text, end))) end++;
  return end === text.length && tag - index - 1 <= NAME_UNITS_MAX && end - tag <= TAG_UNITS;
}

/** Upper case, digits, `_` and backslash. */
const isName = (code: number): boolean =>
  (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95 || code === 92;
const isTag = (code: number): boolean => code >= 97 && code <= 122;
