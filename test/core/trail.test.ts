import { beforeAll, describe, expect, it } from 'vitest';
import { formatAttempts } from '../../src/core/trail.ts';
import { circuitBreaker, fallback, hedge, retry, route, timeout } from '../../src/middleware/index.ts';
import { failureOf, setUp, warmUp } from '../middleware/support.ts';

beforeAll(warmUp);

describe('formatAttempts', () => {
  it('tells the whole story of a call', async () => {
    const { clock, a, b, gateway } = setUp([fallback({ 'context-too-long': 'a/large' }), retry(), route()]);
    a.on({ model: 'one' }).fail('refused');
    b.otherwise.fail(429, { retryAfter: 1, headers: { 'x-request-id': 'req_1' } }).then.fail('context-too-long');
    a.on({ model: 'large' })
      .reply({ text: 'x', usage: { input: 800, output: 12 } })
      .delay(1_500);
    const { attempts } = await clock.settled(gateway.chat({ model: 'other', prompt: 'x' }));
    expect(formatAttempts(attempts)).toBe(
      [
        '1. b/two  failed after 0 ms: rate-limited (429, target, request req_1), asked to wait 1.0 s',
        '     -> retry after 1050 ms',
        '2. b/two  failed after 0 ms: context-too-long (400, request)  (waited 1.1 s)',
        '     -> fallback to a/large: context-too-long',
        '3. a/large  completed after 1.5 s, first content after 1.5 s, 812 tokens',
      ].join('\n'),
    );
  });

  it('says where a call moved on, and what may be on the bill', async () => {
    const { clock, a, b, gateway } = setUp([route()]);
    a.otherwise.fail('reset');
    b.reply('b');
    const { attempts } = await clock.settled(gateway.chat('x'));
    expect(formatAttempts(attempts)).toMatch(
      /^1\. a\/one {2}failed after 0 ms: connection \(response, network, may have been processed\), \d+ tokens \(estimated\)\n {5}-> next target: b\/two\n2\. b\/two {2}completed/,
    );
  });

  it('says whom a call passed over, and for how long: an open circuit, and who mostly failed lately', async () => {
    const { clock, a, b, gateway } = setUp([route(), circuitBreaker({ callsMin: 1, coolDownMs: 5_000 })]);
    a.otherwise.fail(500);
    b.reply('b');
    const again = async () => formatAttempts((await clock.settled(gateway.chat('x'))).attempts);
    await again();
    const benched = route({ avoidMs: 0 });
    expect(await again()).toMatch(/^ {3}passed over a\/one: mostly failed lately, tried last\n1\. b\/two {2}completed/);
    const other = setUp([benched, circuitBreaker({ callsMin: 1, coolDownMs: 5_000 })]);
    other.a.otherwise.fail(500);
    other.b.reply('b');
    await other.clock.settled(other.gateway.chat('x'));
    const { attempts } = await other.clock.settled(other.gateway.chat('x'));
    expect(formatAttempts(attempts)).toMatch(/^ {3}passed over a\/one: circuit-open, for another 5\.5 s\n1\. b\/two/);
    expect(JSON.parse(JSON.stringify(attempts[0]?.passedOver))).toEqual([
      { target: 'a/one', reason: 'circuit-open', waitMs: 5_500 },
    ]);
  });

  it('says which clock ran out, and who lost a race to whom', async () => {
    const late = setUp([route(), timeout({ firstContentMs: 1_000 })]);
    late.a.otherwise.reply('a').hang({ content: 0 });
    const error = await late.clock.settled(failureOf(late.gateway.stream({ model: 'single', prompt: 'x' }).response));
    expect(formatAttempts(error.attempts)).toMatch(
      /^1\. a\/one {2}failed after 1\.0 s: timeout \(first-content, target/,
    );
    const { clock, a, b, gateway } = setUp([hedge({ callsMin: 1, loadRatio: 1 }), route()]);
    a.otherwise.reply('a').delay(100).times(1).then.reply('a').delay(9_000);
    b.reply('b').delay(10);
    await clock.settled(gateway.chat('x'));
    const { attempts } = await clock.settled(gateway.chat('x'));
    expect(formatAttempts(attempts)).toMatch(
      /^1\. a\/one {2}cancelled after \d+ ms: aborted \(hedge, gateway\).*\n {5}-> hedge: no content after \d+ ms\n2\. b\/two {2}completed/,
    );
  });

  it('names the request of an answer, too, for whoever asks why it was slow', async () => {
    const { clock, a, gateway } = setUp([route()]);
    a.reply('a').fault({ kind: 'headers', headers: { 'x-request-id': 'req_7' } });
    const plain = await clock.settled(gateway.chat('x'));
    const streamed = await clock.settled(gateway.stream('x').response);
    for (const { attempts } of [plain, streamed]) {
      expect(attempts[0]?.requestId).toBe('req_7');
      expect(formatAttempts(attempts)).toMatch(/completed after .* tokens.*, request req_7$/);
    }
  });

  it('says when there was none', () => {
    expect(formatAttempts([])).toBe('No attempt was made.');
  });
});
