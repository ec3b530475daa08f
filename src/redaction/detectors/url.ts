import { codeAt, DIGIT, is, LETTER, runEnd, runStart, URL_UNIT } from '../characters.ts';
import { domainEnd, isWordBeyondAscii } from './email.ts';
import type { AnchorDetector } from '../types.ts';

const SCHEME_UNITS_MAX = 16;
const TRAILING_UNITS_MAX = 8;
/** How far before an address it is looked for another that holds it. */
const OUTER_UNITS_MAX = 240;

/** Web addresses: anything with `http://`, `https://`, `ftp://`, and hosts under a well-known top level domain, with their path. */
export const url: AnchorDetector = {
  entity: 'URL',
  score: 0.6,
  anchors: ':.',
  after: '/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ',
  at(text, index, report) {
    if (codeAt(text, index) === 58) schemed(text, index, report);
    else bareHost(text, index, report);
  },
};

function schemed(text: string, colon: number, report: (start: number, end: number, score?: number) => void): void {
  if (!text.startsWith('//', colon + 1)) return;
  let start = colon;
  while (start > 0 && colon - start < SCHEME_UNITS_MAX && is(text, start - 1, LETTER)) start--;
  if (!/^(?:https?|ftps?|wss?)$/i.test(text.slice(start, colon)) || !isHost(text, colon + 3)) return;
  if (isInside(text, start)) return;
  report(start, trimmedEnd(text, start, addressEnd(text, colon + 3)));
}

/** An address in the path or query of another belongs to it; after the `=` of a setting it stands by itself. */
function isInside(text: string, start: number): boolean {
  const before = codeAt(text, start - 1);
  if (before === 47) return true;
  if (before !== 61 && before !== 38 && before !== 63) return false;
  const run = text.slice(runStart(text, start, URL_UNIT, start - OUTER_UNITS_MAX), start);
  return before !== 61 || run.includes('://') || run.includes('?');
}

/** Without the punctuation of the sentence around it; a bracket that was opened inside stays. */
function trimmedEnd(text: string, start: number, from: number): number {
  let end = from;
  for (let trimmed = 0; trimmed < TRAILING_UNITS_MAX && ".,;:!?)*$'".includes(text.charAt(end - 1)); trimmed++) {
    if (codeAt(text, end - 1) === 41 && isClosing(text.slice(Math.max(start, end - OUTER_UNITS_MAX), end))) break;
    end--;
  }
  return end;
}

/** Holds as many `(` as `)`. */
const isClosing = (address: string): boolean => address.split('(').length >= address.split(')').length;

/** Letters, digits, and letters of other alphabets; not those written without spaces, which follow an address as often. */
const isHost = (text: string, index: number): boolean =>
  is(text, index, LETTER | DIGIT) || isWordBeyondAscii(codeAt(text, index));

/** End of the run, or where the next address begins when it is not nested: two that touch are two. */
function addressEnd(text: string, from: number): number {
  let end = from;
  let host = true;
  for (; is(text, end, URL_UNIT) || (host && isHost(text, end)); end++) {
    if (host && '/?#'.includes(text.charAt(end))) host = false;
    if (codeAt(text, end) !== 58 || codeAt(text, end + 1) !== 47 || codeAt(text, end + 2) !== 47) continue;
    let scheme = end;
    while (scheme > from && end - scheme < SCHEME_UNITS_MAX && is(text, scheme - 1, LETTER)) scheme--;
    const before = codeAt(text, scheme - 1);
    if (before !== 47 && before !== 61 && before !== 38 && before !== 63) return scheme;
  }
  return end;
}

const GENERIC = new Set(
  (
    'com org net edu gov mil int info biz io ai app dev cloud online site website shop store blog tech xyz club live news page link space agency ' +
    'company global group digital media world today email life team work zone name pro mobi tv me co museum aero coop travel'
  ).split(' '),
);
const COUNTRIES = new Set(
  (
    'ac ad ae af ag al am ar at au az ba bd be bg bh bo br by bz ca ch ci cl cm cn cr cu cy cz de dk dz ec ee eg es et eu fi fr gb ge ' +
    'gh gi gl gr gt hk hn hr hu id ie il in iq ir is it jm jo jp ke kh kr kw kz lb li lk lt lu lv ly ma mc mk mn mo mt mx my ng nl no np ' +
    'nz om pa pe ph pk pt qa ro rs ru sa se sg si sk su sv th tn tr tw tz ua ug uk us uy uz ve vn za zw'
  ).split(' '),
);

/** Called at every dot: only the last dot of a host has a top level domain after it and no other label. */
function bareHost(text: string, dot: number, report: (start: number, end: number, score?: number) => void): void {
  if (!isHost(text, dot - 1) || !is(text, dot + 1, LETTER)) return;
  const after = runEnd(text, dot + 1, LETTER, dot + 12);
  const written = text.slice(dot + 1, after);
  // A sentence begins: `the end.It is`.
  if (/^[A-Z][a-z]/.test(written)) return;
  const top = written.toLowerCase();
  const generic = GENERIC.has(top);
  if (!generic && !COUNTRIES.has(top)) return;
  const next = codeAt(text, after);
  if (
    is(text, after, DIGIT) ||
    next === 45 ||
    next === 95 ||
    next === 64 ||
    (next === 46 && is(text, after + 1, LETTER | DIGIT))
  )
    return;
  let start = dot;
  while (
    start > 0 &&
    dot - start < 100 &&
    (isHost(text, start - 1) || codeAt(text, start - 1) === 45 || codeAt(text, start - 1) === 46)
  )
    start--;
  const before = codeAt(text, start - 1);
  if (before === 64 || before === 47 || before === 95 || domainEnd(text, start) !== after) return;
  // In the path of the last one it is part of that: a text of nothing but hosts is read once.
  if (text === last.text && start > last.start && start < last.end) return;
  // 47 / 63 ? 35 #, or a port.
  const goesOn = next === 47 || next === 63 || next === 35 || (next === 58 && is(text, after + 1, DIGIT));
  const end = goesOn ? trimmedEnd(text, start, addressEnd(text, after)) : after;
  Object.assign(last, { text: goesOn ? text : '', start, end });
  report(start, end, generic ? 0.5 : 0.4);
}

/** The last host with a path. */
const last = { text: '', start: 0, end: 0 };
