import type { ErrorCode } from '../../core/errors.ts';
import type { Fault, StatusFault } from '../script/fault.ts';
import { placedRows } from './placed-rows.ts';
import { ANSWERED, type FaultRow, fails, type Mode, type Verdict } from './row.ts';

const MODES: readonly Mode[] = ['plain', 'stream'];

interface Whole {
  readonly id: string;
  readonly title: string;
  readonly fault: Fault;
  readonly verdict: Verdict;
  readonly answer?: 'tools';
  readonly modes?: readonly Mode[];
}

/** Statuses and what they mean where the body says nothing better. */
const STATUSES: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid-request',
  401: 'authentication',
  402: 'quota-exceeded',
  403: 'permission',
  404: 'not-found',
  408: 'timeout',
  409: 'unavailable',
  413: 'request-too-large',
  422: 'invalid-request',
  429: 'rate-limited',
  500: 'unavailable',
  502: 'unavailable',
  503: 'overloaded',
  504: 'timeout',
  529: 'overloaded',
};

/**
 * Every way a call can fail that a server can cause, in each mode, and what one attempt makes of it: rows 1 to 29, 34
 * and 35 of the failure matrix, at every position of the stream.
 *
 * @param nowMs - Wall time of the run, for dates in headers. Default 2026-01-01 UTC.
 */
export function faultRows(nowMs = 1_767_225_600_000): readonly FaultRow[] {
  const whole = [...networkRows(), ...statusRows(nowMs), ...answerRows()];
  return [
    ...whole.flatMap(({ id, title, fault, verdict, answer, modes = MODES }) =>
      modes.map(
        (mode): FaultRow => ({ id: `${id} ${mode}`, title, faults: [fault], mode, answer: answer ?? 'text', verdict }),
      ),
    ),
    ...placedRows(),
  ];
}

function networkRows(): Whole[] {
  return [
    {
      id: 'dns',
      title: 'the host name does not resolve',
      fault: { kind: 'dns' },
      verdict: fails('connection', { retryable: false }),
    },
    {
      id: 'dns-temporary',
      title: 'the host name does not resolve just now',
      fault: { kind: 'dns', temporary: true },
      verdict: fails('connection'),
    },
    { id: 'refused', title: 'the connection is refused', fault: { kind: 'refused' }, verdict: fails('connection') },
    {
      id: 'tls',
      title: 'the certificate is not accepted',
      fault: { kind: 'tls' },
      verdict: fails('connection', { retryable: false }),
    },
  ];
}

function statusRows(nowMs: number): Whole[] {
  const row = (
    id: string,
    title: string,
    status: number,
    verdict: Verdict,
    more: Partial<StatusFault> = {},
  ): Whole => ({
    id,
    title,
    fault: { kind: 'status', status, ...more },
    verdict,
  });
  const plain = Object.entries(STATUSES).map(([status, code]) =>
    row(
      `status-${status}`,
      `HTTP ${status}`,
      Number(status),
      fails(code, {
        ...(status === '409' && { once: true }),
        ...(status === '504' && { mayBill: true }),
        ...(status === '408' && { mayBill: true }),
      }),
    ),
  );
  const limited = (id: string, title: string, more: Partial<StatusFault>, verdict: Partial<Verdict>): Whole =>
    row(`retry-after-${id}`, `HTTP 429, ${title}`, 429, fails('rate-limited', verdict), more);
  const date = new Date(nowMs + 5_000);
  return [
    ...plain,
    limited('zero', 'Retry-After: 0', { retryAfter: 0 }, { retryAfterMs: 0 }),
    limited('seconds', 'Retry-After in seconds', { retryAfter: 2 }, { retryAfterMs: 2_000 }),
    limited('fraction', 'Retry-After with a fraction', { retryAfter: '1.5' }, { retryAfterMs: 1_500 }),
    limited('date', 'Retry-After as a date', { retryAfter: date }, { retryAfterMs: 5_000 }),
    limited('past', 'Retry-After as a date gone by', { retryAfter: new Date(nowMs - 60_000) }, { retryAfterMs: 0 }),
    limited('ms', 'retry-after-ms', { retryAfterMs: 700 }, { retryAfterMs: 700 }),
    limited('junk', 'Retry-After: soon', { retryAfter: 'soon' }, {}),
    limited('negative', 'Retry-After: -5', { retryAfter: '-5' }, {}),
    limited('long', 'Retry-After: 90', { retryAfter: 90 }, { retryAfterMs: 90_000, retryable: false }),
    row('quota', 'no credit left', 429, fails('quota-exceeded'), { code: 'quota-exceeded' }),
    row('context', 'the prompt is too long', 400, fails('context-too-long'), { code: 'context-too-long' }),
    row('html-502', 'an HTML page with a 502', 502, fails('unavailable'), {
      body: '<html>Bad gateway</html>',
      headers: { 'content-type': 'text/html' },
    }),
    row('empty-500', 'a 500 without a body', 500, fails('unavailable'), { body: '' }),
    row('should-not-retry', 'HTTP 503 with x-should-retry: false', 503, fails('overloaded', { retryable: false }), {
      headers: { 'x-should-retry': 'false' },
    }),
    row('should-retry', 'HTTP 400 with x-should-retry: true', 400, fails('invalid-request', { retryable: true }), {
      headers: { 'x-should-retry': 'true' },
    }),
  ];
}

/** Answers that are odd as a whole. */
function answerRows(): Whole[] {
  const bad = fails('bad-response', { mayBill: true });
  return [
    { id: 'html-200', title: 'an HTML page in place of an answer', fault: { kind: 'wrong-type' }, verdict: bad },
    {
      id: 'text-200',
      title: 'plain text in place of an answer',
      fault: { kind: 'wrong-type', type: 'text/plain', body: 'OK' },
      verdict: bad,
      modes: ['plain'],
    },
    {
      id: 'redirect',
      title: 'a redirect to another host',
      fault: { kind: 'redirect' },
      verdict: fails('bad-response', { retryable: false }),
    },
    { id: 'empty', title: 'an answer without content', fault: { kind: 'empty' }, verdict: bad },
    {
      id: 'slow-read',
      title: 'a server that takes the request slowly',
      fault: { kind: 'slow-read', ms: 900 },
      verdict: ANSWERED,
    },
    { id: 'drip', title: 'an answer byte by byte', fault: { kind: 'drip' }, verdict: ANSWERED },
    {
      id: 'drip-slow',
      title: 'an answer that trickles',
      fault: { kind: 'drip', bytes: 40, everyMs: 10 },
      verdict: ANSWERED,
    },
    { id: 'no-usage', title: 'no usage in the answer', fault: { kind: 'no-usage' }, verdict: ANSWERED },
    {
      id: 'broken-tool-json',
      title: 'tool arguments that are no JSON',
      fault: { kind: 'broken-tool-json' },
      verdict: ANSWERED,
      answer: 'tools',
    },
    {
      id: 'duplicate-tool-ids',
      title: 'two tool calls with one id',
      fault: { kind: 'duplicate-tool-ids' },
      verdict: ANSWERED,
      answer: 'tools',
    },
    {
      id: 'limit-headers',
      title: 'rate-limit headers on an answer',
      fault: { kind: 'headers', headers: { 'x-ratelimit-remaining-requests': '0' } },
      verdict: ANSWERED,
    },
  ];
}
