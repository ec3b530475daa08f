import { classOf, codeAt, DIGIT, is, KEY, LETTER, runEnd, runStart, TOKEN } from '../characters.ts';
import { entropy, isStandIn } from './entropy.ts';
import type { AnchorDetector, PrefixDetector, TokenDetector } from '../types.ts';

const HEADER_UNITS_MAX = 200;

/** JSON web tokens: two or three parts, the first two beginning like base64 of `{`. A first part over 200 units counts as one. */
export const jwt: PrefixDetector = {
  entity: 'jwt',
  group: 'secret',
  score: 0.95,
  prefixes: ['ey'],
  runMin: 20,
  from(text, start, report) {
    const header = runEnd(text, start, KEY, start + HEADER_UNITS_MAX);
    if (header - start === HEADER_UNITS_MAX) {
      if (codeAt(text, start + 2) === 74) report(start, runEnd(text, start, TOKEN), 0.6);
      return;
    }
    if (header - start < 19 || codeAt(text, header) !== 46 || !text.startsWith('ey', header + 1)) return;
    const body = runEnd(text, header + 1, KEY);
    if (body - header - 1 < 19) return;
    let end = body;
    if (codeAt(text, body) === 46) {
      const signature = runEnd(text, body + 1, KEY);
      end =
        signature - body - 1 >= 10 ? paddingEnd(text, signature) : isQuote(codeAt(text, body + 1)) ? body + 1 : body;
    }
    report(start, end);
  },
};

const paddingEnd = (text: string, from: number): number =>
  text.startsWith('==', from) ? from + 2 : codeAt(text, from) === 61 ? from + 1 : from;

/** An unsigned token ends in its dot; at the end of a sentence the dot is the sentence's. */
const isQuote = (code: number): boolean => code === 34 || code === 39 || code === 0;

const PEM_UNITS_MAX = 8192;

/** Private keys as PEM or PGP blocks. Without its END line a block reaches to the end of what base64 and its line ends allow. */
export const privateKey: AnchorDetector = {
  entity: 'private-key',
  group: 'secret',
  score: 0.98,
  anchors: '-',
  after: '-',
  at(text, index, report) {
    if (codeAt(text, index - 1) === 45 || !text.startsWith('-----BEGIN ', index)) return;
    const title = /^-----BEGIN [A-Z0-9 ]{0,60}PRIVATE KEY(?: BLOCK)?-----/.exec(text.slice(index, index + 100));
    if (title === null) return;
    const from = index + title[0].length;
    const end = pemEnd(text, from);
    report(index, end > 0 && end - from <= PEM_UNITS_MAX ? end : pemRunEnd(text, from));
  },
};

const PEM_CLOSE = /-----END [A-Z0-9 ]{0,60}PRIVATE KEY(?: BLOCK)?-----/g;
/** The last search, so that a text of nothing but opening lines is read once. */
const searched = { text: '', from: 0, close: -1, end: -1 };

/** End of the first END line from a place on, or -1. */
function pemEnd(text: string, from: number): number {
  const known = searched.text === text && from >= searched.from && (from <= searched.close || searched.close < 0);
  if (!known) {
    PEM_CLOSE.lastIndex = from;
    const match = PEM_CLOSE.exec(text);
    const close = match?.index ?? -1;
    Object.assign(searched, { text, from, close, end: match === null ? -1 : close + match[0].length });
  }
  return searched.end;
}

/** Base64, line ends (also escaped), headers like `Proc-Type: 4`. */
function pemRunEnd(text: string, from: number): number {
  let end = from;
  for (; end < text.length; end++) {
    const code = codeAt(text, end);
    if ((classOf(code) & TOKEN) === 0 && code !== 10 && code !== 13 && code !== 92 && code !== 34) break;
  }
  // An END line that has not come whole yet is still part of it.
  if (!text.startsWith('-----END', end - 8)) return end;
  return end + (/^[A-Z0-9 -]{0,90}/.exec(text.slice(end, end + 90))?.[0].length ?? 0);
}

/** Entra ID client secrets: three characters, a digit, `Q~`, 31 to 34 more. */
export const azureClientSecret: AnchorDetector = {
  entity: 'azure-ad-client-secret',
  group: 'secret',
  score: 0.95,
  anchors: '~',
  at(text, index, report) {
    const start = index - 5;
    if (start < 0 || codeAt(text, index - 1) !== 81 || !is(text, index - 2, DIGIT)) return;
    for (let at = start; at < index - 2; at++) if (!isAzure(codeAt(text, at))) return;
    if (is(text, start - 1, LETTER | DIGIT) || codeAt(text, start - 1) === 95) return;
    let end = index + 1;
    while (end - index <= 35 && isAzure(codeAt(text, end))) end++;
    if (codeAt(text, end - 1) === 46) end--;
    const body = end - index - 1;
    if (body < 31 || body > 34 || entropy(text.slice(index, end)) < 3 || isStandIn(text.slice(start, end))) return;
    report(start, end);
  },
};

const isAzure = (code: number): boolean => (classOf(code) & KEY) !== 0 || code === 126 || code === 46;

/** Bot tokens of Telegram (`123456:AAF…`) and keys like `id:secret` of Facebook's Graph API. */
export const telegramBotToken: AnchorDetector = {
  entity: 'telegram-bot-api-token',
  group: 'secret',
  score: 0.9,
  anchors: ':',
  after: 'A',
  at(text, index, report) {
    if (codeAt(text, index + 1) !== 65) return;
    const start = runStart(text, index, DIGIT, index - 17);
    const end = runEnd(text, index + 1, KEY, index + 37);
    if (index - start < 5 || index - start > 16 || end - index !== 36) return;
    // `…/bot123456:AAF…/getMe`.
    if (is(text, start - 1, LETTER) && !text.startsWith('bot', start - 3)) return;
    if (entropy(text.slice(index + 1, end)) >= 3.2) report(start, end);
  },
};

/** Discord bot tokens: three parts, the first base64 of a number. */
export const discordBotToken: TokenDetector = {
  entity: 'discord-bot-token',
  group: 'secret',
  score: 0.9,
  lengthMin: 23,
  lengthMax: 28,
  opens: 'letter',
  token(text, start, end, report) {
    if (!/[MNO]/.test(text.charAt(start)) || codeAt(text, end) !== 46) return;
    const match = /^\.[\w-]{6}\.[\w-]{27,38}(?![\w-])/.exec(text.slice(end, end + 50));
    if (match) report(start, end + match[0].length);
  },
};

/** Terraform Cloud: fourteen characters, `.atlasv1.`, sixty or more. */
export const terraformToken: TokenDetector = {
  entity: 'hashicorp-tf-api-token',
  group: 'secret',
  score: 0.95,
  lengthMin: 14,
  lengthMax: 14,
  token(text, start, end, report) {
    if (!text.startsWith('.atlasv1.', end)) return;
    const match = /^[\w=-]{60,70}(?![\w-])/.exec(text.slice(end + 9, end + 81));
    if (match && entropy(match[0]) >= 3.5) report(start, end + 9 + match[0].length);
  },
};

/** Facebook app tokens: number, `|`, secret. */
export const facebookToken: TokenDetector = {
  entity: 'facebook-access-token',
  group: 'secret',
  score: 0.9,
  lengthMin: 15,
  lengthMax: 16,
  opens: 'digit',
  token(text, start, end, report) {
    const match = /^(?:\||%7C)[\w-]{27,40}(?![\w-])/i.exec(text.slice(end, end + 46));
    if (match && /^\d+$/.test(text.slice(start, end)) && entropy(match[0]) >= 3) report(start, end + match[0].length);
  },
};

/** Mailchimp (`…-us12`) and MaxMind (`…_mmk`) name themselves at the end. */
export const suffixedKey: TokenDetector = {
  entity: 'mailchimp-api-key',
  group: 'secret',
  score: 0.9,
  lengthMin: 6,
  lengthMax: 32,
  token(text, start, end, report) {
    if (
      end - start === 32 &&
      /^-us\d{1,2}(?!\w)/.test(text.slice(end, end + 7)) &&
      /^[0-9a-f]+$/.test(text.slice(start, end))
    ) {
      report(start, runEnd(text, end + 3, DIGIT, end + 5));
    } else if (end - start === 6 && /^_[0-9A-Za-z]{29}_mmk(?!\w)/.test(text.slice(end, end + 36))) {
      report(start, end + 34, undefined, 'maxmind-license-key');
    }
  },
};

/** The mark of a Google service account file; its key itself is a PEM block. */
export const serviceAccount: PrefixDetector = {
  entity: 'gcp-service-account',
  group: 'secret',
  score: 0.6,
  prefixes: ['type"'],
  from(text, start, report) {
    const match = /^type" {0,4}: {0,4}"service_account"/.exec(text.slice(start, start + 40));
    if (match && codeAt(text, start - 1) === 34) report(start - 1, start + match[0].length);
  },
};
