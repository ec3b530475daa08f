import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import { GatewayError, isGatewayError } from '../../src/core/errors.ts';
import { type Ending, EventStream, type EventSource, iterableSource } from '../../src/core/event-stream.ts';
import { ManualClock } from '../manual-clock.ts';

const clock = systemClock;

/** A source that hands out one list of events a read, then ends or fails. */
function batches(
  lists: readonly (readonly number[])[],
  failure?: unknown,
): EventSource<number> & { reads: number; cancelled: unknown[] } {
  const source = {
    reads: 0,
    cancelled: [] as unknown[],
    async read(emit: (event: number) => void) {
      const list = lists[source.reads++];
      if (list === undefined) {
        if (failure !== undefined) throw failure;
        return false;
      }
      for (const event of list) emit(event);
      return true;
    },
    cancel(reason: unknown) {
      source.cancelled.push(reason);
    },
  };
  return source;
}

async function all(stream: AsyncIterable<number>): Promise<number[]> {
  const events: number[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

describe('EventStream', () => {
  it('delivers all events of one read without reading again', async () => {
    const source = batches([[1, 2, 3], [4]]);
    const stream = new EventStream(source, { clock });
    expect((await stream.next()).value).toBe(1);
    expect((await stream.next()).value).toBe(2);
    expect(source.reads).toBe(1);
    expect(await all(stream)).toEqual([3, 4]);
  });

  it('runs its layers in order, inner first, and closes each exactly once', async () => {
    const order: string[] = [];
    const layer = (name: string, factor: number) => ({
      event: (event: number, emit: (event: number) => void) => emit(event * factor + 1),
      end: () => void order.push(`end ${name}`),
      close: (ending: Ending) => void order.push(`close ${name} ${ending.status}`),
    });
    const stream = new EventStream(batches([[1]]), { clock }).append(layer('inner', 10)).append(layer('outer', 100));
    expect(await all(stream)).toEqual([1101]);
    stream.cancel();
    expect(order).toEqual(['end inner', 'end outer', 'close inner completed', 'close outer completed']);
  });

  it('lets a layer flush what it held at the end, through the layers outside it', async () => {
    let held = 0;
    const stream = new EventStream(batches([[1, 2]]), { clock })
      .append({
        event: (event) => void (held += event),
        end: async (emit) => {
          await Promise.resolve();
          emit(held);
        },
      })
      .append({ event: (event, emit) => emit(event * 10) });
    expect(await all(stream)).toEqual([30]);
  });

  it('LEAK-07: a layer that throws fails the stream as internal and closes upstream', async () => {
    const source = batches([[1], [2]]);
    const endings: string[] = [];
    const stream = new EventStream(source, { clock }).append({
      event() {
        throw undefined;
      },
      close: (ending) => void endings.push(ending.status),
    });
    await expect(stream.next()).rejects.toSatisfy((error) => isGatewayError(error, 'internal'));
    expect(source.cancelled).toHaveLength(1);
    expect(endings).toEqual(['failed']);
  });

  it('stops upstream once when the consumer breaks', async () => {
    const source = batches([[1, 2, 3], [4]]);
    const endings: string[] = [];
    const stream = new EventStream(source, { clock }).append({ close: (ending) => void endings.push(ending.status) });
    for await (const _event of stream) break;
    stream.cancel();
    expect(source.cancelled).toHaveLength(1);
    expect(endings).toEqual(['cancelled']);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('LEAK-04: an abort is an error with its reason, even while a read hangs', async () => {
    const controller = new AbortController();
    const source: EventSource<number> = { read: () => new Promise(() => undefined), cancel: vi.fn() };
    const stream = new EventStream(source, { clock, signal: controller.signal });
    const next = stream.next();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(next).rejects.toMatchObject({ code: 'aborted', name: 'AbortError', cause: reason });
    expect(source.cancel).toHaveBeenCalledTimes(1);
  });

  it('LEAK-02: leaves no listener on the signal, whatever the ending', async () => {
    const controller = new AbortController();
    const add = vi.spyOn(controller.signal, 'addEventListener');
    const remove = vi.spyOn(controller.signal, 'removeEventListener');
    const make = (lists: number[][], failure?: unknown) =>
      new EventStream(batches(lists, failure), { clock, signal: controller.signal });
    await all(make([[1]]));
    await expect(all(make([[1]], new Error('x')))).rejects.toThrow();
    make([[1]]).cancel();
    expect(remove.mock.calls.length).toBeGreaterThanOrEqual(add.mock.calls.length);
  });

  it('delivers what came before a failure, then the failure', async () => {
    const failure = new GatewayError('stream-interrupted', 'cut');
    const stream = new EventStream(batches([[1, 2]], failure), { clock });
    expect((await stream.next()).value).toBe(1);
    expect((await stream.next()).value).toBe(2);
    await expect(stream.next()).rejects.toBe(failure);
    await expect(stream.next()).rejects.toBe(failure);
  });

  it('answers concurrent next calls in turn', async () => {
    const stream = new EventStream(batches([[1], [2], [3]]), { clock });
    const answers = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()]);
    expect(answers.map((answer) => answer.value)).toEqual([1, 2, 3, undefined]);
  });

  describe('commit', () => {
    it('waits for the first content and keeps what came before it', async () => {
      const source = batches([[1], [2], [30], [40]]);
      const stream = new EventStream(source, { clock });
      await stream.commit((event) => event >= 10);
      expect(source.reads).toBe(3);
      expect(await all(stream.append({ event: (event, emit) => emit(event + 1) }))).toEqual([2, 3, 31, 41]);
    });

    it('fails the call, not the iteration, when the source fails first', async () => {
      const failure = new GatewayError('overloaded', 'no');
      const stream = new EventStream(batches([[1]], failure), { clock });
      await expect(stream.commit((event) => event >= 10)).rejects.toBe(failure);
    });

    it('resolves at the end of a stream without content', async () => {
      const stream = new EventStream(batches([[1], [2]]), { clock });
      await stream.commit(() => false);
      expect(await all(stream)).toEqual([1, 2]);
    });
  });

  it('closes a stream nobody reads with limit-exceeded', async () => {
    const manual = new ManualClock();
    const source = batches([[1], [2]]);
    const stream = new EventStream(source, { clock: manual, consumerIdleMs: 1_000 });
    await stream.commit(() => true);
    manual.advance(999);
    expect(source.cancelled).toHaveLength(0);
    manual.advance(1);
    expect(source.cancelled).toHaveLength(1);
    await expect(stream.next()).rejects.toMatchObject({ code: 'limit-exceeded', stage: 'consumer' });
    expect(manual.pending).toBe(0);
  });

  it('reads iterables of both kinds', async () => {
    async function* generate() {
      yield 1;
      yield 2;
    }
    expect(await all(new EventStream(iterableSource([1, 2]), { clock }))).toEqual([1, 2]);
    expect(await all(new EventStream(iterableSource(generate()), { clock }))).toEqual([1, 2]);
  });
});
