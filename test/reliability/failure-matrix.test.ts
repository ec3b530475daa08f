import { beforeAll, describe, expect, it } from 'vitest';
import { createGateway, type ErrorCode, type GatewayError, isGatewayError } from '../../src/index.ts';
import { cache, circuitBreaker, type LedgerRow, meter, retry, route, timeout } from '../../src/middleware/index.ts';
import type { Fault } from '../../src/testing/index.ts';
import { fakeClock, mockProvider } from '../../src/testing/index.ts';
import { warmUp } from '../middleware/support.ts';

beforeAll(warmUp);

/** What one row of the failure matrix (reliability.md, section 2) asks for, in the words of DESIGN.md. */
interface Expected {
  /** Absent: the call is answered. */
  readonly code?: ErrorCode;
  readonly stage?: string;
  /** Requests one target sees of one call when it always fails like this: 1 no retry, 2 once, 3 until attempts end. */
  readonly hits: 1 | 2 | 3;
  /** Whether another target of the same plan is asked. */
  readonly next: boolean;
  /** What is held against whom: the target's circuit, a rest of the target or of the key, or nobody. */
  readonly against: 'circuit' | 'rest' | 'key' | 'nobody';
  readonly billing: 'no' | 'possible' | 'yes';
  /** Kept by the cache. */
  readonly kept?: true;
}
interface Row {
  readonly number: number;
  readonly title: string;
  readonly faults: readonly Fault[];
  readonly stream?: true;
  readonly tools?: true;
  readonly finish?: 'content-filter';
  readonly expected: Expected;
}

const status = (code: number, more: object = {}): Fault[] => [{ kind: 'status', status: code, ...more }];
const target = (code: ErrorCode, more: Partial<Expected> = {}): Expected => ({
  code,
  hits: 3,
  next: true,
  against: 'circuit',
  billing: 'no',
  ...more,
});
const caller = (code: ErrorCode): Expected => ({ code, hits: 1, next: false, against: 'nobody', billing: 'no' });
const key = (code: ErrorCode): Expected => ({ code, hits: 1, next: true, against: 'key', billing: 'no' });
const answered: Expected = { hits: 1, next: false, against: 'nobody', billing: 'yes', kept: true };
const lost = { hits: 2, billing: 'possible' } as const;

const ROWS: readonly Row[] = [
  {
    number: 1,
    title: 'the name does not resolve',
    faults: [{ kind: 'dns' }],
    expected: target('connection', { stage: 'dns', hits: 1 }),
  },
  {
    number: 1,
    title: 'the name does not resolve just now',
    faults: [{ kind: 'dns', temporary: true }],
    expected: target('connection', { stage: 'dns' }),
  },
  {
    number: 2,
    title: 'the connection is refused',
    faults: [{ kind: 'refused' }],
    expected: target('connection', { stage: 'connect' }),
  },
  {
    number: 3,
    title: 'the certificate is not accepted',
    faults: [{ kind: 'tls' }],
    expected: target('connection', { stage: 'tls', hits: 1 }),
  },
  {
    number: 4,
    title: 'a reset before any byte',
    faults: [{ kind: 'reset', at: 'before-headers' }],
    expected: target('connection', lost),
  },
  // A server that gave up waiting may have begun: the reference says none.
  { number: 5, title: '408', faults: status(408), expected: target('timeout', { billing: 'possible' }) },
  // DESIGN.md 6: 409 is `unavailable`, tried once more.
  { number: 6, title: '409', faults: status(409), expected: target('unavailable', { hits: 2 }) },
  {
    number: 7,
    title: '429 with a hint',
    faults: status(429, { retryAfter: 2 }),
    expected: target('rate-limited', { against: 'rest' }),
  },
  {
    number: 8,
    title: '429 without a hint',
    faults: status(429),
    expected: target('rate-limited', { against: 'rest' }),
  },
  {
    number: 9,
    title: 'quota used up, as 429',
    faults: status(429, { code: 'quota-exceeded' }),
    expected: key('quota-exceeded'),
  },
  { number: 9, title: 'no credit, as 402', faults: status(402), expected: key('quota-exceeded') },
  {
    number: 10,
    title: 'x-should-retry: false on a 503',
    faults: status(503, { headers: { 'x-should-retry': 'false' } }),
    expected: target('overloaded', { hits: 1 }),
  },
  { number: 11, title: '500', faults: status(500), expected: target('unavailable') },
  { number: 11, title: '502', faults: status(502), expected: target('unavailable') },
  { number: 11, title: '504', faults: status(504), expected: target('timeout', { billing: 'possible' }) },
  { number: 12, title: '503', faults: status(503), expected: target('overloaded') },
  { number: 12, title: '529', faults: status(529), expected: target('overloaded') },
  {
    number: 13,
    title: 'no headers',
    faults: [{ kind: 'hang', at: 'before-headers' }],
    stream: true,
    expected: target('timeout', { ...lost, stage: 'connect' }),
  },
  {
    number: 14,
    title: 'headers, and no content',
    faults: [{ kind: 'hang', at: { content: 0 } }],
    stream: true,
    expected: target('timeout', { ...lost, stage: 'first-content' }),
  },
  {
    number: 15,
    title: 'silence in the middle',
    faults: [{ kind: 'hang', at: { content: 2 } }],
    stream: true,
    expected: target('timeout', { stage: 'idle', hits: 1, next: false, billing: 'yes' }),
  },
  {
    number: 16,
    title: 'cut before content',
    faults: [{ kind: 'cut', at: { content: 0 } }],
    stream: true,
    expected: target('stream-interrupted', { billing: 'possible' }),
  },
  {
    number: 16,
    title: 'cut in the middle',
    faults: [{ kind: 'cut', at: { content: 2 } }],
    stream: true,
    expected: target('stream-interrupted', { hits: 1, next: false, billing: 'yes' }),
  },
  {
    number: 16,
    title: 'reset in the middle',
    faults: [{ kind: 'reset', at: { content: 2 } }],
    stream: true,
    expected: target('stream-interrupted', { hits: 1, next: false, billing: 'yes' }),
  },
  {
    number: 17,
    title: 'a reset after the end',
    faults: [{ kind: 'reset', at: 'after-terminal' }],
    stream: true,
    expected: answered,
  },
  {
    number: 18,
    title: 'an event that is no JSON',
    faults: [{ kind: 'junk', at: { content: 0 } }],
    stream: true,
    expected: target('stream-interrupted', { billing: 'possible' }),
  },
  { number: 19, title: 'HTML in a 200', faults: [{ kind: 'wrong-type' }], expected: target('bad-response', lost) },
  {
    number: 20,
    title: 'an overload inside a 200',
    faults: [{ kind: 'error', code: 'overloaded', at: { content: 0 } }],
    stream: true,
    expected: target('overloaded'),
  },
  {
    number: 20,
    title: 'an error after content',
    faults: [{ kind: 'error', code: 'overloaded', at: { content: 2 } }],
    stream: true,
    expected: target('overloaded', { hits: 1, next: false, billing: 'yes' }),
  },
  {
    number: 21,
    title: 'the input is filtered',
    faults: status(400, { code: 'content-filtered' }),
    expected: caller('content-filtered'),
  },
  {
    number: 22,
    title: 'the answer is filtered',
    faults: [],
    finish: 'content-filter',
    expected: { hits: 1, next: false, against: 'nobody', billing: 'yes' },
  },
  {
    number: 23,
    title: 'the context is too long',
    faults: status(400, { code: 'context-too-long' }),
    expected: caller('context-too-long'),
  },
  { number: 24, title: '400', faults: status(400), expected: caller('invalid-request') },
  { number: 24, title: '413', faults: status(413), expected: caller('request-too-large') },
  { number: 24, title: '422', faults: status(422), expected: caller('invalid-request') },
  { number: 24, title: '404', faults: status(404), expected: { ...caller('not-found'), next: true } },
  { number: 25, title: '401', faults: status(401), expected: key('authentication') },
  { number: 25, title: '403', faults: status(403), expected: key('permission') },
  {
    number: 26,
    title: 'an answer without content',
    faults: [{ kind: 'empty' }],
    expected: target('bad-response', lost),
  },
  {
    number: 27,
    title: 'tool arguments that are no JSON',
    faults: [{ kind: 'broken-tool-json' }],
    tools: true,
    expected: { hits: 1, next: false, against: 'nobody', billing: 'yes' },
  },
  {
    number: 28,
    title: 'two tool calls with one id',
    faults: [{ kind: 'duplicate-tool-ids' }],
    tools: true,
    expected: answered,
  },
  { number: 29, title: 'no usage', faults: [{ kind: 'no-usage' }], expected: answered },
  { number: 34, title: 'a redirect', faults: [{ kind: 'redirect' }], expected: target('bad-response', { hits: 1 }) },
  {
    number: 35,
    title: 'a line without end',
    faults: [{ kind: 'huge-line', at: { content: 0 } }],
    stream: true,
    expected: { code: 'limit-exceeded', hits: 1, next: true, against: 'circuit', billing: 'no' },
  },
];

interface Run {
  readonly error?: GatewayError;
  readonly cached: boolean;
  readonly hits: number;
  readonly secondHits: number;
  readonly rows: readonly LedgerRow[];
  readonly against: Expected['against'];
}

async function run(row: Row, targets: readonly string[], attemptsMax: number): Promise<Run> {
  const clock = fakeClock();
  const a = mockProvider({ name: 'a' });
  const b = mockProvider({ name: 'b' });
  if (row.tools)
    a.otherwise
      .callTool('find', { query: 'x' })
      .callTool('find', { query: 'y' })
      .fault(...row.faults);
  else if (row.finish !== undefined) a.reply({ text: 'No.', finish: row.finish });
  else a.otherwise.reply(['one ', 'two ', 'three ', 'four']).fault(...row.faults);
  b.reply('b');
  const rows: LedgerRow[] = [];
  const benched: string[] = [];
  const breaker = circuitBreaker({ callsMin: 1, failureRatio: 0.1 });
  // The breaker decides after one failure: it may only watch here, or it would change what retry does.
  const judging = attemptsMax === 1 ? [breaker] : [];
  const clocks = timeout({ connectMs: 2_000, firstContentMs: 3_000, idleMs: 4_000, attemptMs: row.stream ? 0 : 5_000 });
  const gateway = createGateway({
    providers: [a, b],
    models: { default: targets },
    attemptsMax,
    use: [meter({ sink: (one) => void rows.push(one) }), cache(), retry(), route(), ...judging, clocks],
    clock,
    random: () => 0.5,
  });
  gateway.on('health', ({ reason }) => void (reason !== undefined && benched.push(reason)));
  const ask = async (): Promise<{ cached: boolean; error?: GatewayError }> => {
    const request = { prompt: 'x', ...(row.tools && { tools: [{ name: 'find' }] }) };
    try {
      const work = row.stream ? gateway.stream(request).response : gateway.chat(request);
      return { cached: (await clock.settled(work)).cached !== undefined };
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      return { cached: false, error };
    }
  };
  const first = await ask();
  const seen = { hits: a.calls.length, secondHits: b.calls.length, rows: [...rows] };
  const open = breaker.states().get('a/m')?.state === 'open';
  const resting = benched.some((reason) => reason === 'rate-limited');
  const refused = benched.some((reason) => reason.startsWith('credential'));
  const against = open ? 'circuit' : refused ? 'key' : resting ? 'rest' : 'nobody';
  const again = first.error === undefined ? await ask() : { cached: false };
  return { ...first, ...seen, cached: again.cached, against };
}

describe('the failure matrix, row by row', () => {
  it.each(ROWS)('matrix row $number: $title', async (row) => {
    const { expected } = row;
    const alone = await run(row, ['a/m'], 3);
    expect([alone.error?.code, alone.error?.stage]).toEqual([expected.code, expected.stage ?? alone.error?.stage]);
    expect(alone.hits).toBe(expected.hits);
    const attempts = alone.rows.flatMap((one) => (one.kind === 'attempt' ? [one] : []));
    expect(attempts.map(({ billing }) => billing)).toEqual(Array<string>(expected.hits).fill(expected.billing));
    expect(alone.rows.filter(({ kind }) => kind === 'call')).toHaveLength(1);
    const two = await run(row, ['a/m', 'b/m'], 3);
    expect(two.secondHits).toBe(expected.next ? 1 : 0);
    const judged = await run(row, ['a/m'], 1);
    expect(judged.against).toBe(expected.against);
    expect(judged.cached).toBe(expected.kept ?? false);
  });
});
