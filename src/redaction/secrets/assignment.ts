import { classOf, codeAt, DIGIT, KEY, LETTER, TOKEN } from '../characters.ts';
import { placeholderEndsAt } from '../placeholder.ts';
import { entropy, isStandIn } from './entropy.ts';
import { vendors } from './vendor-rules.ts';
import type { AnchorDetector } from '../types.ts';

const NAME_UNITS_MAX = 60;
/** `pwd`, `aws`. */
const NAME_UNITS_MIN = 3;
const VALUE_UNITS_MIN = 8;
const JUDGED_UNITS = 200;
const JOINED_UNITS = 66;
const GAP_UNITS_MAX = 6;

/** In a name, says that a secret is assigned. `key` alone says it only for values that look drawn by lot. */
const STRONG =
  /secret|token|passw|pwd|passphrase|apikey|accesskey|privatekey|authkey|credential|bearer|encryptionkey|signingkey|accountkey|authorization/;
const WEAK = /key$|auth|access|pass$|creds?$|cookie|session|license/;
/** Says that it is something about a secret, or open on purpose. */
const ABOUT =
  /(?:id|ids|name|url|uri|path|file|size|length|len|type|count|limit|version|method|format|field|label|prefix|regex|pattern|hash|status|max|min|mode|class|endpoint|expiry|expires|expiresin|algorithm|space|board|frame|store|pair|index|or|signatures?)$|public|csrf|keyword|monkey|turkey|donkey|tokenizer|maxtokens|prompttokens|tokens$/;
/** Says that the value is none. */
const NOT_REAL = /^(?:fake|dummy|mock|placeholder|example|sample|invalid|nonmatching)/;
const PASSWORD = /passw|pwd|passphrase/;
const PASSWORD_UNITS_MAX = 100;
const known = vendors();
const anyVendor = new RegExp(known.flatMap(({ names }) => names).join('|'));
const INTERESTING = new RegExp(`${STRONG.source}|${WEAK.source}|${anyVendor.source}`);

/**
 * `NAME = value`, `"name": "value"`, `name := 'value'`, `Name: value`: a vendor's key by its name and length, otherwise
 * a value that looks drawn by lot assigned to a name that means a secret.
 */
export const assignedSecret: AnchorDetector = {
  entity: 'generic-api-key',
  group: 'secret',
  score: 0.8,
  anchors: '=:',
  at(text, index, report) {
    const start = valueStart(text, index);
    if (start < 0) return;
    const name = nameBefore(text, index);
    if (name === '' || !INTERESTING.test(name)) return;
    const end = PASSWORD.test(name) ? passwordEnd(text, start) : valueEnd(text, start);
    // `eyJh...`: shortened for print.
    if (end - start < VALUE_UNITS_MIN || text.startsWith('..', end)) return;
    const value = text.slice(start, Math.min(end, start + JUDGED_UNITS));
    const vendor = vendorEntity(name, value);
    if (vendor !== undefined) report(start, end, 0.85, vendor);
    else if (isDrawn(name, value)) report(start, end);
  },
};

/** After the operator, spaces and an opening quote; -1 when no value can begin here. */
function valueStart(text: string, index: number): number {
  let at = index + 1;
  const limit = at + GAP_UNITS_MAX;
  while (at < limit) {
    const code = codeAt(text, at);
    if (
      code === 32 ||
      code === 34 ||
      code === 39 ||
      code === 96 ||
      code === 61 ||
      code === 62 ||
      code === 9 ||
      code === 92
    )
      at++;
    else break;
  }
  return at < limit && (classOf(codeAt(text, at)) & TOKEN) !== 0 ? at : -1;
}

/**
 * Token characters, and a colon between two of them (`cafe:babe`). Trailing dots belong to the sentence. Past the first
 * 66 an `=` or `:` ends the value unless it pads it: otherwise a text of nothing but assignments takes quadratic time.
 */
function valueEnd(text: string, start: number): number {
  let end = start;
  for (let code = codeAt(text, end); (classOf(code) & TOKEN) !== 0 || code === 58; code = codeAt(text, ++end)) {
    if (end - start < JOINED_UNITS || (code !== 61 && code !== 58)) continue;
    while (codeAt(text, end) === 61) end++;
    break;
  }
  while (end > start && (codeAt(text, end - 1) === 46 || codeAt(text, end - 1) === 58) && end - start < JUDGED_UNITS)
    end--;
  return end;
}

/** People's passwords have any signs in them: to the closing quote, or to a space, a comma or a bracket. */
function passwordEnd(text: string, start: number): number {
  const quote = codeAt(text, start - 1);
  const quoted = quote === 34 || quote === 39 || quote === 96;
  let end = start;
  for (; end < text.length && end - start < PASSWORD_UNITS_MAX; end++) {
    const code = codeAt(text, end);
    if (code <= 32 || code === 34 || code === 39 || code === 96) break;
    if (
      !quoted &&
      (code === 44 || code === 59 || code === 41 || code === 93 || code === 125 || code === 62 || code > 127)
    )
      break;
  }
  while (end > start && !quoted && codeAt(text, end - 1) === 46) end--;
  return end;
}

/** The name left of the operator, lower case without joints; words before it on the line do not count. */
function nameBefore(text: string, index: number): string {
  let end = index;
  while (end > 0 && index - end < 4 && isPadding(codeAt(text, end - 1))) {
    // What was redacted is not a name.
    if (placeholderEndsAt(text, end)) return '';
    end--;
  }
  let start = end;
  while (start > 0 && end - start < NAME_UNITS_MAX && isName(codeAt(text, start - 1))) start--;
  if (end - start < NAME_UNITS_MIN) return '';
  // `a=token=b`: the name is part of a value, which was looked at as one.
  if (codeAt(text, start - 1) === 61) return '';
  let letters = false;
  for (let at = start; at < end && !letters; at++) letters = (classOf(codeAt(text, at)) & LETTER) !== 0;
  return letters ? text.slice(start, end).toLowerCase().replace(/[_.-]/g, '') : '';
}

/** Spaces, quotes and the other half of `:=`, `=>`, `||=`, `?=`. */
const isPadding = (code: number): boolean =>
  code === 32 ||
  code === 34 ||
  code === 39 ||
  code === 58 ||
  code === 63 ||
  code === 124 ||
  code === 93 ||
  code === 96 ||
  code === 92;
const isName = (code: number): boolean => (classOf(code) & KEY) !== 0 || code === 46;

function vendorEntity(name: string, value: string): string | undefined {
  if (!anyVendor.test(name)) return undefined;
  for (const { names, rules } of known) {
    if (!names.some((vendor) => name.includes(vendor))) continue;
    // A vendor's name alone is not enough where the name says what else the value is.
    if (/(?:url|uri|host|version|path|file|name|checksum|hash|sha|commit|digest)$/.test(name)) return undefined;
    const plain = value.replace(':', '');
    const rule = rules.find(
      (candidate) => candidate.matches(value) || (candidate.entity === 'sidekiq-secret' && candidate.matches(plain)),
    );
    const bits = entropy(value);
    if (rule !== undefined && (/\d/.test(value) || bits >= 4) && bits >= 2.2 && !isStandIn(value)) return rule.entity;
  }
  return undefined;
}

function isDrawn(name: string, value: string): boolean {
  const first = codeAt(value, 0);
  // A path.
  if (first === 46 || first === 47 || first === 126) return false;
  let digits = 0;
  for (let index = 0; index < value.length; index++) if ((classOf(codeAt(value, index)) & DIGIT) !== 0) digits++;
  if (digits === 0 || ABOUT.test(name) || NOT_REAL.test(name) || value.includes('://')) return false;
  const strong = STRONG.test(name);
  if (!strong && (value.length < 16 || digits < 4)) return false;
  const bits = entropy(value);
  const password = strong && PASSWORD.test(name);
  if (password ? bits < 2.6 : value.length < 10 || (strong ? bits < 3.2 || digits < 2 : bits < 3.5 || !WEAK.test(name)))
    return false;
  return !isCode(value) && !isStandIn(value);
}

/** `module.member`, `a/path/to`, `call`: words joined by dots or slashes, a version, a number with a unit. */
const isCode = (value: string): boolean =>
  /^(?:[A-Za-z_]+\d{0,5}[./-])+[A-Za-z_]*\d{0,3}$/.test(value) ||
  /^[\d.,:_/+-]+$/.test(value) ||
  /^[A-Z][a-z]+(?:[A-Z][a-z]+)*\d{0,2}$/.test(value);
