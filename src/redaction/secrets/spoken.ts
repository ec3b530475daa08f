import { byteAt, classAt, codeAt, DIGIT, is, LETTER } from '../characters.ts';
import { isCode } from './assignment.ts';
import { entropy, isStandIn } from './entropy.ts';
import type { TokenDetector } from '../types.ts';

const VALUE_UNITS_MAX = 200;
const LEAD_UNITS_MAX = 64;
const PASSWORD_UNITS_MIN = 8;
const KEY_UNITS_MIN = 16;
const BARE_KEY_UNITS_MIN = 20;
/** What is said in words: `password for the server is`, `use the token`. */
const LEAD =
  /(?:^|[^A-Za-z_])(?:(passwords?|passphrase|passwort|kennwort|contraseña|pwd)|token|secret|key)(?: (?:for|of|to)(?: [\w.'-]{1,20}){1,4})?( (?:is|was|ist|es)(?: now)?:?)? ["'`]?$/i;

/** `--api-key …`. */
const FLAG = /(?:^|[ \t])--[A-Za-z][\w-]{0,40} ["'`]?$/;

/** Secrets in sentences and behind flags, without the sign of an assignment: `my api key is …`, `use token …`. */
export const spokenSecret: TokenDetector = {
  entity: 'generic-api-key',
  group: 'secret',
  score: 0.7,
  lengthMin: PASSWORD_UNITS_MIN,
  lengthMax: VALUE_UNITS_MAX,
  token(text, start, end, report, bytes) {
    // Numbers alone are none, and a word has to stand before the value.
    if (!hasLetter(bytes, start, end)) return;
    const from = wordStart(bytes, start);
    if (from < 2 || !isLead(bytes, from)) return;
    const lead = LEAD.exec(text.slice(Math.max(0, from - LEAD_UNITS_MAX), from));
    if (lead === null) return;
    const until = wordEnd(text, end);
    const [, password, is] = lead;
    const said = is !== undefined || FLAG.test(text.slice(Math.max(0, from - LEAD_UNITS_MAX), from));
    if (isDrawn(text.slice(from, until), password !== undefined, said)) report(from, until);
  },
};

function hasLetter(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((classAt(bytes, at) & LETTER) !== 0) return true;
  return false;
}

/** A space, perhaps with a quote, after a letter or the colon of `is:`. */
function isLead(bytes: Uint8Array, from: number): boolean {
  const space = isQuote(byteAt(bytes, from - 1)) ? from - 2 : from - 1;
  const before = byteAt(bytes, space - 1);
  return byteAt(bytes, space) === 32 && (before === 58 || (classAt(bytes, space - 1) & LETTER) !== 0);
}

const isQuote = (code: number): boolean => code === 34 || code === 39 || code === 96;
const isBreak = (code: number): boolean => code <= 32 || isQuote(code) || code > 126;

function wordStart(bytes: Uint8Array, start: number): number {
  let from = start;
  while (from > 0 && start - from < VALUE_UNITS_MAX && !isBreak(bytes[from - 1] as number)) from--;
  return from;
}

/** To a space or a quote, without the punctuation of the sentence. */
function wordEnd(text: string, end: number): number {
  let until = end;
  while (until < text.length && until - end < VALUE_UNITS_MAX && !isBreak(codeAt(text, until))) until++;
  while (until > end && '.,;:!?)'.includes(text.charAt(until - 1))) until--;
  return until;
}

/** Passwords may be shorter than keys; without an `is` either has to look the part. */
function isDrawn(value: string, password: boolean, said: boolean): boolean {
  // The cheap looks first: nearly every word that follows `key` is too short for one.
  if (value.length < (password ? PASSWORD_UNITS_MIN : said ? KEY_UNITS_MIN : BARE_KEY_UNITS_MIN)) return false;
  const digits = countOf(value, DIGIT);
  if (digits < (password && said ? 1 : password ? 2 : 0) || countOf(value, LETTER) === 0) return false;
  if (isCode(value) || isStandIn(value) || /[<>[\]{}]|:\/\//.test(value)) return false;
  const bits = entropy(value);
  if (password) return bits >= (said ? 2.6 : 3);
  if (said) return bits >= 3.2 && (digits >= 2 || bits >= 4.5);
  return bits >= 3.5 && (digits >= 3 || bits >= 4.5) && /[g-zG-Z]/.test(value);
}

function countOf(value: string, kind: number): number {
  let count = 0;
  for (let at = 0; at < value.length; at++) if (is(value, at, kind)) count++;
  return count;
}
