import { classOf, codeAt, DIGIT, KEY, LETTER } from '../characters.ts';
import { placeholderEndsAt } from '../placeholder.ts';
import { entropy, isStandIn } from './entropy.ts';
import { nameFilter } from './name-filter.ts';
import { JUDGED_UNITS, passwordEnd, quotedEnd, valueEnd, valueStart } from './values.ts';
import { vendors } from './vendor-rules.ts';
import type { AnchorDetector, Report } from '../types.ts';

const NAME_UNITS_MAX = 60;
/** `pwd`, `aws`. */
const NAME_UNITS_MIN = 3;
const VALUE_UNITS_MIN = 8;
const ATTRIBUTE_UNITS_MAX = 80;

/** In a name, says that a secret is assigned. `key` alone says it only for values that look drawn by lot. */
const STRONG =
  /secret|token|passw|pwd|passphrase|apikey|accesskey|privatekey|authkey|credential|bearer|encryptionkey|signingkey|accountkey|authorization|dockerconfigjson/;
const WEAK = /key$|auth|access|pass$|creds?$|sig$|cookie|session|license/;
/** Says that it is something about a secret, or open on purpose. */
const ABOUT =
  /(?:id|ids|name|url|uri|path|file|size|length|len|type|count|limit|version|method|format|field|label|prefix|regex|pattern|hash|status|max|min|mode|class|endpoint|expiry|expires|expiresin|algorithm|space|board|frame|store|pair|index|or|arn|manager|signatures?)$|(?:next|page|continuation|pagination|starting|lock|idempotency|change)token$|s3key$|(?:foreign|primary|partition|sort|object|cache|translation)key$|public|csrf|authenticity|keyword|monkey|turkey|donkey|tokenizer|maxtokens|prompttokens|tokens$/;
/** Says that the value is none. */
const NOT_REAL = /^(?:fake|dummy|mock|placeholder|example|sample|invalid|nonmatching)/;
const PASSWORD = /passw|pwd|passphrase/;
const known = vendors();
const anyVendor = new RegExp(known.flatMap(({ names }) => names).join('|'));
const INTERESTING = new RegExp(`${STRONG.source}|${WEAK.source}|${anyVendor.source}`);
/** Of `value="…"` the name stands before it. */
const mayBeNamed = nameFilter([...INTERESTING.source.split('|'), 'value']);

/**
 * `NAME = value`, `"name": "value"`, `name := 'value'`, `<name>value</name>`, `key="name" value="value"`: a vendor's key by its name and length, otherwise
 * a value that looks drawn by lot assigned to a name that means a secret.
 */
export const assignedSecret: AnchorDetector = {
  entity: 'generic-api-key',
  group: 'secret',
  score: 0.8,
  anchors: '=:>',
  at(text, index, report, bytes) {
    if (!mayBeNamed(bytes, index)) return;
    const start = valueStart(text, index);
    if (start < 0) return;
    reportValue(text, bytes, start, nameOf(text, index), report);
  },
};

const ARGUMENT_UNITS_MAX = 72;
const ARGUMENT = /^\( ?["']([\w.-]{3,60})["'], ?["'`]/;

/** `define('AUTH_KEY', 'value')`, `setenv("API_TOKEN", "value")`: a name and its value as the first arguments of a call. */
export const argumentSecret: AnchorDetector = {
  entity: 'generic-api-key',
  group: 'secret',
  score: 0.8,
  anchors: '(',
  after: ` "'`,
  at(text, index, report, bytes) {
    const match = ARGUMENT.exec(text.slice(index, index + ARGUMENT_UNITS_MAX));
    if (match === null) return;
    const [opening, name = ''] = match;
    const start = valueStart(text, index + opening.length - 2);
    if (start > 0) reportValue(text, bytes, start, name.toLowerCase().replace(/[_.-]/g, ''), report);
  },
};

/** Reports a value that is a secret by its name and its looks. */
function reportValue(text: string, bytes: Uint8Array, start: number, name: string, report: Report): void {
  if (name === '') return;
  const meaning = meaningOf(name);
  if (!meaning.interesting) return;
  const plain = meaning.password ? passwordEnd(text, start) : valueEnd(bytes, start);
  const end = meaning.strong ? quotedEnd(text, start, plain) : plain;
  // `eyJh...`: shortened for print; `b64decode(key)`: a call.
  if (end - start < VALUE_UNITS_MIN || text.startsWith('..', end) || codeAt(text, end) === 40) return;
  const value = text.slice(start, Math.min(end, start + JUDGED_UNITS));
  const vendor = meaning.vendor ? vendorEntity(name, value) : undefined;
  if (vendor !== undefined) report(start, end, 0.85, vendor);
  else if (isDrawn(meaning, value)) report(start, end);
}

/** What a name says of the value it is given; asked for in the order in which it is needed, and once. */
class Meaning {
  readonly name: string;
  readonly interesting: boolean;
  readonly strong: boolean;
  readonly password: boolean;
  readonly vendor: boolean;
  #unreal: boolean | undefined;
  #weak: boolean | undefined;

  constructor(name: string) {
    this.name = name;
    this.interesting = INTERESTING.test(name);
    this.strong = this.interesting && STRONG.test(name);
    this.password = this.interesting && PASSWORD.test(name);
    this.vendor = this.interesting && anyVendor.test(name);
  }

  /** About a secret, or said to be none. */
  get unreal(): boolean {
    return (this.#unreal ??= ABOUT.test(this.name) || NOT_REAL.test(this.name));
  }

  get weak(): boolean {
    return (this.#weak ??= WEAK.test(this.name));
  }
}

/** A longer name may be a view of its text, which would be kept with it. */
const REMEMBERED_UNITS_MAX = 12;
let last = new Meaning('');

/** Settings come in rows of the same name: the last one is remembered. */
function meaningOf(name: string): Meaning {
  if (last.name === name) return last;
  const meaning = new Meaning(name);
  if (name.length <= REMEMBERED_UNITS_MAX) last = meaning;
  return meaning;
}

/** The name, also of an element or of the attribute before `value=`; empty when there is none. */
function nameOf(text: string, index: number): string {
  const name = nameBefore(text, index);
  if (codeAt(text, index) === 62) return name !== '' && opensElement(text, index) ? name : '';
  if (name !== 'value' || codeAt(text, index) !== 61) return name;
  const before = text.slice(Math.max(0, index - ATTRIBUTE_UNITS_MAX), index);
  return /(?:key|name)=["']([\w.-]{3,60})["'] value$/.exec(before)?.[1]?.toLowerCase().replace(/[_.-]/g, '') ?? name;
}

function opensElement(text: string, close: number): boolean {
  let start = close;
  while (start > 0 && close - start < NAME_UNITS_MAX && isName(codeAt(text, start - 1))) start--;
  return codeAt(text, start - 1) === 60;
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
  // `AWS::ApiGateway::ApiKey` is a type, `…:123456789012:secret:name` an address of one.
  const outer = codeAt(text, start - 2);
  if (codeAt(text, start - 1) === 58 && (outer === 58 || (classOf(outer) & DIGIT) !== 0)) return '';
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

/** Whether a value assigned to the name looks drawn by lot; strong names mean nothing else. */
function isDrawn(meaning: Meaning, value: string): boolean {
  const first = codeAt(value, 0);
  // A path.
  if (first === 46 || first === 47 || first === 126) return false;
  let digits = 0;
  for (let index = 0; index < value.length; index++) if ((classOf(codeAt(value, index)) & DIGIT) !== 0) digits++;
  if (digits === 0 || meaning.unreal || value.includes('://')) return false;
  const { name, strong, password } = meaning;
  // `Apache-2.0-with-LLVM-exception`.
  if (/licen[cs]e$/.test(name) && value.includes('-')) return false;
  const bits = entropy(value);
  if (strong && password) return bits >= 2.6 && !isCode(value) && !isStandIn(value);
  if (!(strong ? isLot(value, bits, digits, 2) : meaning.weak && isLot(value, bits, digits, 4, name))) return false;
  return !isCode(value) && !isStandIn(value);
}

/** So many different characters, with digits among them. A short value, or one for a name that can mean other things, needs more. */
function isLot(value: string, bits: number, digits: number, digitsMin: number, name = ''): boolean {
  const strong = name === '';
  if (value.length < (strong ? 10 : 16)) return false;
  // Sixteen characters are all that hex has.
  if (/^[0-9a-f]{32,}$/i.test(value)) return bits >= 2.9 && digits >= digitsMin;
  if (digits >= digitsMin) return bits >= (strong ? 3.2 : 3.5);
  const cases = /[a-z]/.test(value) && /[A-Z]/.test(value) && !/[_.-]/.test(value);
  if (strong) return cases && bits >= 3.5 && value.length >= 16;
  // Base64 of `user:password` has few digits.
  if (name.endsWith('auth') && bits >= 4 && value.length >= 24) return true;
  return cases && (digits >= 2 ? bits >= 3.8 && value.length >= 20 : bits >= 4.3 && value.length >= 32);
}

const FILE =
  /\.(?:pem|key|crt|cer|p12|pfx|jks|json|ya?ml|toml|txt|py|js|ts|sh|html?|xml|png|jpe?g|svg|css|md|conf|cfg|ini)$/i;

/** `module.member`, `a/path/to`, `call(1)`, `file.pem`, `order_2024_items`, `X509Credential`: words joined by dots or slashes, a version, a number with a unit. */
export const isCode = (value: string): boolean =>
  /^(?:[A-Za-z_]+\d{0,5}[./-])+[A-Za-z_]*\d{0,3}$/.test(value) ||
  /^[\d.,:_/+-]+$/.test(value) ||
  /^[a-z]{2,30}(?:_(?:[a-z]{2,30}\d{0,4}|\d{1,4}))+$/.test(value) ||
  /^[A-Za-z_][\w.]{2,60}[([]/.test(value) ||
  FILE.test(value) ||
  /^[A-Za-z][a-z]+(?:[A-Z][a-z]+)*\d{0,2}$/.test(value) ||
  isTypeName(value.slice(value.lastIndexOf('.') + 1)) ||
  value.startsWith('arn:');

/** Words that begin with capitals, with three letters or a number each: `AuthenticationMD5Password`, `Ed25519PublicKey`. */
function isTypeName(name: string): boolean {
  const words = name.match(/[A-Z]{1,4}[a-z]{0,30}\d{0,5}/g);
  if (words?.join('') !== name || !/[a-z]{5}/.test(name)) return false;
  const numbered = words.filter((word) => /\d$/.test(word)).length;
  return numbered <= 2 && words.every((word) => /[A-Za-z]{3}|\d$/.test(word));
}
