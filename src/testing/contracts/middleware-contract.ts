import assert from 'node:assert/strict';
import { GatewayError, isGatewayError } from '../../core/errors.ts';
import type { Middleware } from '../../core/middleware.ts';
import { foldChat } from '../../operations/chat-fold.ts';
import type { ContractCase } from '../store-contract.ts';
import { countedSignal, type Probe, probe, type ProbeOptions } from './probe.ts';

export interface MiddlewareContractOptions {
  /** Middleware outside it, for one that needs company. */
  readonly outside?: readonly Middleware[];
  /** Middleware inside it. */
  readonly inside?: readonly Middleware[];
}
type Make = (options?: ProbeOptions) => Promise<Probe>;

/**
 * What every middleware owes its neighbours, whatever it does: calls it does not concern pass as they are, plain and
 * streamed; nothing is changed in place, nothing is lost, nothing is left behind. `create` gives a new one each time.
 *
 * @example
 * for (const { name, run } of middlewareContract(() => myMiddleware())) it(name, run);
 */
export function middlewareContract(
  create: () => Middleware | Promise<Middleware>,
  options: MiddlewareContractOptions = {},
): readonly ContractCase[] {
  const make: Make = async (given) =>
    probe([...(options.outside ?? []), await create(), ...(options.inside ?? [])], given);
  return Object.entries(CASES).map(([name, check]) => ({ name, run: () => check(make) }));
}

/** An abort needs no time to pass. */
const PROMPTLY = { limitMs: 0, graceMs: 50 };
const failure = (): GatewayError => new GatewayError('authentication', 'probe/m answered 401.', { status: 401 });

const CASES: Readonly<Record<string, (make: Make) => Promise<void>>> = {
  async 'passes a plain answer untouched'(make) {
    const { gateway, run } = await make();
    const response = await run(gateway.chat('x'));
    assert.equal(response.text, 'one two three');
    assert.deepEqual(
      response.message.content.map(({ type }) => type),
      ['reasoning', 'text', 'tool-call'],
    );
    assert.deepEqual(response.toolCalls[0]?.args, { query: 'one two three' });
    assert.equal(response.finish.reason, 'tool-calls');
    assert.equal(response.usage.total, 15);
    assert.deepEqual(response.target, { provider: 'probe', model: 'm' });
  },
  async 'streams what it would answer plainly'(make) {
    const { gateway, run } = await make();
    const plain = await run(gateway.chat('x'));
    const fold = foldChat();
    await run(
      (async () => {
        for await (const event of gateway.stream('x')) fold.add(event);
      })(),
    );
    assert.ok(fold.complete, 'the stream has no end');
    const streamed = fold.response();
    assert.deepEqual(streamed.message.content, plain.message.content);
    assert.deepEqual(streamed.finish, plain.finish);
    assert.deepEqual(streamed.usage.tokens, plain.usage.tokens);
  },
  async 'keeps the grammar of a stream: one start first, one end last'(make) {
    const { gateway, run } = await make();
    const types: string[] = [];
    await run(
      (async () => {
        for await (const { type } of gateway.stream('x')) types.push(type);
      })(),
    );
    assert.equal(types[0], 'start');
    assert.equal(types.at(-1), 'end');
    assert.equal(types.filter((type) => type === 'start' || type === 'end').length, 2);
  },
  async 'passes an embedding untouched'(make) {
    const { gateway, run } = await make();
    const { vectors } = await run(gateway.embed({ input: ['a', 'b'] }));
    assert.deepEqual(vectors, [
      [1, 0],
      [1, 1],
    ]);
  },
  async 'does not change the request'(make) {
    // The probe freezes it: a change in place throws, and what arrives must say the same.
    const { gateway, run, calls } = await make();
    await run(gateway.chat({ prompt: 'x', temperature: 0.5, tools: [{ name: 'find' }] }));
    const request = calls[0]?.request as unknown as Record<string, unknown>;
    assert.equal(request['temperature'], 0.5);
    assert.equal(JSON.stringify(request['messages']).includes('"text":"x"'), true);
  },
  async "lets a provider's failure through as it is"(make) {
    for (const stream of [false, true]) {
      const { gateway, run } = await make({ answer: () => Promise.reject(failure()) });
      const error = await run(stream ? gateway.stream('x').response : gateway.chat('x')).then(
        () => assert.fail('it was answered'),
        (thrown: unknown) => thrown,
      );
      assert.ok(isGatewayError(error, 'authentication'), `it became ${String(error)}`);
      assert.equal(error.status, 401);
      assert.equal(error.fault, 'credential');
    }
  },
  async 'lets a stream fail in the middle, after what came before'(make) {
    const { gateway, run } = await make({
      failAfter: 4,
      failure: () => new GatewayError('stream-interrupted', 'probe/m broke off.'),
    });
    const types: string[] = [];
    const error = await run(
      (async () => {
        for await (const { type } of gateway.stream('x')) types.push(type);
      })().then(
        () => assert.fail('it ended well'),
        (thrown: unknown) => thrown,
      ),
    );
    assert.ok(isGatewayError(error, 'stream-interrupted'), `it became ${String(error)}`);
    assert.ok(types.includes('reasoning-delta'), 'what came before the failure is lost');
    assert.ok(!types.includes('end'), 'a broken stream has an end');
  },
  async 'turns whatever is thrown below it into a failure, not a hang'(make) {
    const { gateway, run } = await make({
      answer: () => {
        throw new RangeError('a bug');
      },
    });
    await assert.rejects(run(gateway.chat('x')), (error) => isGatewayError(error));
  },
  async 'hands the abort of its caller down at once'(make) {
    const { gateway, clock, calls } = await make({ answer: () => new Promise(() => undefined) });
    const { controller, signal } = countedSignal();
    const waiting = gateway.chat('x', { signal });
    waiting.catch(() => undefined);
    await clock.advance(0);
    assert.equal(calls[0]?.signal.aborted, false);
    controller.abort(new Error('enough'));
    await assert.rejects(clock.settled(waiting, PROMPTLY), (error) => isGatewayError(error, 'aborted'));
    assert.equal(calls[0]?.signal.aborted, true);
    assert.equal(calls.length, 1, 'an aborted call was tried again');
  },
  async 'closes the source exactly once when its reader stops'(make) {
    const { gateway, run, closed } = await make();
    await run(
      (async () => {
        for await (const { type } of gateway.stream('x')) if (type === 'text-delta') break;
      })(),
    );
    assert.equal(closed(), 1);
  },
  async 'closes the source exactly once when the signal aborts in the middle'(make) {
    const { gateway, clock, closed } = await make({ hangAfter: 4 });
    const { controller, signal } = countedSignal();
    const reading = gateway.stream('x', { signal }).response;
    reading.catch(() => undefined);
    await clock.advance(0);
    controller.abort();
    await assert.rejects(clock.settled(reading, PROMPTLY), (error) => isGatewayError(error, 'aborted'));
    await clock.advance(0);
    assert.equal(closed(), 1);
  },
  async 'does not close a source that ended by itself'(make) {
    const { gateway, run, closed } = await make();
    await run(gateway.stream('x').response);
    assert.equal(closed(), 0);
  },
  async 'leaves no timer and no listener behind'(make) {
    for (const stream of [false, true]) {
      const { gateway, run, clock } = await make();
      const { signal, listeners } = countedSignal();
      await run(stream ? gateway.stream('x', { signal }).response : gateway.chat('x', { signal }));
      await clock.advance(0);
      assert.equal(clock.pending, 0, `${clock.pending} timers are left, due in ${clock.due.join(', ')} ms`);
      assert.equal(listeners(), 0, `${listeners()} listeners are left on the signal`);
    }
  },
  async 'keeps calls that run at once apart'(make) {
    const { gateway, run } = await make({ answer: (call) => JSON.stringify(call.request.messages.at(-1)?.content) });
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    const texts = await run(Promise.all(numbers.map(async (each) => (await gateway.chat(`call ${each}`)).text)));
    for (const [index, text] of texts.entries())
      assert.ok(text.includes(`call ${index}"`), `call ${index} got ${text}`);
  },
  async 'explains itself, and closes'(make) {
    const { gateway, run } = await make();
    assert.ok(gateway.explain('x').middleware.length > 0);
    await run(gateway.close());
    await run(gateway.close());
  },
};
