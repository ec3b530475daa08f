import { byteAt, classAt, classOf, codeAt, DIGIT, is, KEY, LETTER, runEnd, SPACE } from '../characters.ts';
import { entropy, isStandIn } from './entropy.ts';
import type { AnchorDetector, PrefixDetector, Report } from '../types.ts';

const PART_UNITS_MAX = 80;
/** `$PASSWORD`, `<password>`, `xxx`, `DB_PASSWORD`. */
const PLACEHOLDER = /^[$<{[*%]|^[xX]+$|^\.+$|^(?:[A-Z]{1,20}_){0,4}(?:PASS|PASSWORD|PASSWD|PWD|SECRET|TOKEN|KEY)$/;

/** User and password in an address: `https://user:password@host`, `postgres://…`. The hit is the password. */
export const urlCredentials: AnchorDetector = {
  entity: 'url-credentials',
  group: 'secret',
  score: 0.9,
  anchors: ':',
  after: '/',
  at(text, index, report) {
    if (!text.startsWith('//', index + 1) || !is(text, index - 1, LETTER | DIGIT)) return;
    const user = index + 3;
    const colon = stop(text, user, user + PART_UNITS_MAX);
    if (codeAt(text, colon) !== 58) return;
    const at = stop(text, colon + 1, colon + 1 + PART_UNITS_MAX, true);
    if (codeAt(text, at) !== 64 || at === colon + 1) return;
    const password = text.slice(colon + 1, at);
    const host = text.slice(at + 1, at + 60);
    if (/^(?:gems|enterprise)\.contribsys\.com/.test(host)) report(user, at, 0.95, 'sidekiq-sensitive-url');
    else if (!PLACEHOLDER.test(password) && !isStandIn(password)) report(colon + 1, at);
  },
};

/** First `:`, `/`, `@`, space or quote; colons may stand in a password. */
function stop(text: string, from: number, limit: number, inPassword = false): number {
  let index = from;
  for (; index < limit && index < text.length; index++) {
    const code = codeAt(text, index);
    if (
      (classOf(code) & SPACE) !== 0 ||
      code === 47 ||
      code === 64 ||
      code === 34 ||
      code === 39 ||
      code === 60 ||
      code === 62
    )
      break;
    if (code === 58 && !inPassword) break;
  }
  return index;
}

/** `Authorization: Bearer …`, `apikey: …` and their like, in headers of curl or written out. */
export const authorizationHeader: AnchorDetector = {
  entity: 'curl-auth-header',
  group: 'secret',
  score: 0.9,
  anchors: ':',
  at(text, index, report, bytes) {
    // All names end in `n` or `ey`.
    const last = byteAt(bytes, index - 1) | 32;
    if (last !== 110 && (last !== 121 || (byteAt(bytes, index - 2) | 32) !== 101)) return;
    if (bytes[index + 1] !== 32 && (classAt(bytes, index + 1) & (LETTER | DIGIT)) === 0) return;
    const name = text.slice(Math.max(0, index - 16), index).toLowerCase();
    if (!/(?:(?:^|[^a-z_])authorization|apikey|api-key|[^a-z]token|auth-token|private-token|access-token)$/.test(name))
      return;
    let start = runEnd(text, index + 1, SPACE, index + 5);
    const scheme =
      /^(?:Bearer|Basic|Token|Api-Token|ApiKey|Api-Key|Digest|Negotiate|GenieKey|SSWS|DeepL-Auth-Key|Key) {1,3}/i.exec(
        text.slice(start, start + 24),
      );
    const named = name.endsWith('authorization');
    if (scheme) start += scheme[0].length;
    const end = headerEnd(text, start);
    // Without a scheme, `token: …` counts only inside the quotes of a header.
    const after = codeAt(text, end);
    if (scheme === null && !named && after !== 34 && after !== 39) return;
    if (isHeaderValue(text.slice(start, Math.min(end, start + 200)), scheme !== null)) report(start, end);
  },
};

function headerEnd(text: string, start: number): number {
  let end = start;
  for (; end < text.length; end++) {
    const code = codeAt(text, end);
    if ((classOf(code) & (KEY | SPACE)) === KEY || '+/=.~:@%!'.includes(String.fromCharCode(code))) continue;
    break;
  }
  return end;
}

function isHeaderValue(value: string, schemed: boolean): boolean {
  if (value.length < 8 || value.startsWith('AWS4-HMAC') || isStandIn(value) || (!/\d/.test(value) && value.length < 20))
    return false;
  return entropy(value) >= (schemed ? 2.7 : 3);
}

/** `curl -u user:password`, `--user "user:password"`: the hit is both, as they stand. */
export const curlUser: AnchorDetector = {
  entity: 'curl-auth-user',
  group: 'secret',
  score: 0.85,
  anchors: '-',
  after: 'u-',
  at(text, index, report) {
    if (!is(text, index - 1, SPACE)) return;
    const from = text.startsWith('-u', index) ? index + 2 : text.startsWith('--user', index) ? index + 6 : -1;
    if (from < 0 || (codeAt(text, from) !== 32 && codeAt(text, from) !== 61 && from === index + 6)) return;
    credentialsAt(text, runEnd(text, from, SPACE, from + 3) + (codeAt(text, from) === 61 ? 1 : 0), report);
  },
};

/** A word with a colon, perhaps quoted as a whole or in pieces. */
function credentialsAt(text: string, from: number, report: Report): void {
  const source = text.slice(from, from + 160);
  const match = /^(["']?)([^\s"':]{1,64})\1?:(["']?)([^\s"']{0,80})/.exec(source);
  if (match === null) return;
  const [whole, quote = '', user = '', , password = ''] = match;
  const alone = password.replace(/[{}]/g, '') === '';
  const secret = alone ? user : password;
  if (IN_PLACE.test(secret) || isStandIn(secret) || (alone ? !looksDrawn(secret) : !isPassword(secret, user))) return;
  const start = from + quote.length;
  report(start, from + whole.length);
}

/** `$PASSWORD`, `${pass}`, `[PASSWORD]`, `<password>`, `{{ … }}`. */
const IN_PLACE = /^\$|\$[{(]|[<[]|\{\{/;
/** `password`, `my-token`, `apiKey`. */
const NAME_OF_ONE =
  /^(?:my|your|the|some)?[_.-]?(?:user|api|app|access|client|auth|git|db)?[_.-]?(?:name|user|pass|passwd|password|pwd|secret|token|key|id|test|admin|root|guest|demo|foo|bar|changeme|changeit|x+|y+)$/i;

/** Stands where a password does: anything but the name of one, a copy of the user's, a group's number, a path, what is too short. */
function isPassword(secret: string, user: string): boolean {
  if (/^\d{1,6}$|^[/.~]/.test(secret)) return false;
  if (NAME_OF_ONE.test(secret) || secret.toLowerCase() === user.toLowerCase()) return false;
  const bits = entropy(secret);
  return /[^A-Za-z_-]/.test(secret) ? secret.length >= 6 && bits >= 2.2 : secret.length >= 8 && bits >= 2.5;
}

/** Digits among letters, or at least both cases and length. */
function looksDrawn(secret: string): boolean {
  if (secret.length < 8) return false;
  const bits = entropy(secret);
  return /\d/.test(secret) ? bits >= 2.7 : bits >= 3.2 && secret.length >= 12 && /[a-z][A-Z]/.test(secret);
}

/** Account keys in connection strings of Azure: the hit is the key. */
export const azureAccountKey: PrefixDetector = {
  entity: 'azure-storage-key',
  group: 'secret',
  score: 0.95,
  prefixes: ['AccountKey=', 'SharedAccessKey='],
  from(text, start, report, prefix) {
    const from = start + prefix.length;
    const match = /^[0-9A-Za-z+/]{40,90}={0,2}/.exec(text.slice(from, from + 96));
    if (match && entropy(match[0]) > 3) report(from, from + match[0].length);
  },
};
