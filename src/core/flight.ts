import type { OperationName } from '../operations/index.ts';
import { Broadcast } from './broadcast.ts';
import type { CachedFacts, Call, Next, PlainReply, Reply, StreamReply } from './call.ts';
import { abortedError, GatewayError } from './errors.ts';
import { EventStream } from './event-stream.ts';
import { collect, replyWith } from './reply.ts';
import { raceSignal } from './signals.ts';
import type { WireReply } from './wire.ts';

/**
 * One upstream call that several callers wait for. It has a life of its own: it ends when it is answered, or when the
 * last of them has left; none of them can end it for the others.
 */
export class Flight<K extends OperationName> {
  readonly stream: boolean;
  readonly #startedMs: number;
  readonly #controller = new AbortController();
  readonly #leader: Call<K>;
  readonly #reply: Promise<Reply<K>>;
  readonly #onOver: () => void;
  #broadcast: Broadcast<never> | undefined;
  #members = 0;
  #over = false;

  constructor(call: Call<K>, next: Next, onOver: () => void) {
    this.stream = call.stream;
    this.#leader = call;
    this.#onOver = onOver;
    this.#startedMs = call.context.clock.monotonic();
    // Each member has a deadline of its own, and leaves by its signal.
    const { deadline: _deadline, ...rest } = call;
    const own = { ...rest, signal: this.#controller.signal } as Call<K>;
    this.#reply = next(own).then(
      (reply) => this.#answered(reply),
      (error: unknown) => {
        this.#end();
        throw error;
      },
    );
    // Members hear of it; if all have left, nobody needs to.
    this.#reply.catch(() => undefined);
  }

  /** Whether one more may join: not once it is doomed, answered, or too much of it was sent. */
  get open(): boolean {
    return !this.#over && (this.#broadcast === undefined || this.#broadcast.open);
  }

  /** Waits for the answer with the others. Its own abort is its own affair. */
  async join(call: Call<K>): Promise<Reply<K>> {
    const leave = this.#enter();
    let reply: Reply<K>;
    try {
      reply = await raceSignal(this.#reply, call.signal);
    } catch (error) {
      leave();
      throw call.signal.aborted ? abortedError(call.signal.reason) : error;
    }
    const facts = call === this.#leader ? undefined : this.#factsFor(call);
    if (!reply.stream) {
      leave();
      if (facts === undefined) return reply;
      // A copy: what one caller does to its answer is not everybody's. The bytes nobody can edit.
      const { response } = reply as PlainReply<K>;
      const own = replyWith(call, structuredClone(response), reply.target, facts);
      return mayPass(call, reply) ? { ...own, wire: reply.wire } : own;
    }
    const streamed = this.#streamTo(call, reply as unknown as StreamReply<K>, leave, facts);
    if (call.stream) return streamed;
    return replyWith(call, await collect(streamed), reply.target, facts);
  }

  /** From here on nobody joins it. Those on board fly on. */
  close(): void {
    this.#end();
  }

  #enter(): () => void {
    this.#members++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      if (--this.#members > 0 || this.#settled) return;
      this.#end();
      const reason = new GatewayError('aborted', 'Everybody who waited for this call has left.');
      this.#controller.abort(reason);
      this.#broadcast?.cancel(reason);
    };
  }
  #settled = false;

  #answered(reply: Reply<K>): Reply<K> {
    if (!reply.stream) {
      this.#settled = true;
      this.#end();
      return reply;
    }
    const { events, wire } = reply as unknown as StreamReply<'chat'>;
    const onEnd = (): void => {
      this.#settled = true;
      this.#end();
    };
    const body = typeof wire?.body === 'string' ? undefined : wire?.body;
    this.#broadcast = new Broadcast(events, onEnd, body) as unknown as Broadcast<never>;
    return reply;
  }

  #streamTo(call: Call<K>, reply: StreamReply<K>, leave: () => void, facts: CachedFacts | undefined): Reply<K> {
    const { operation, target, attempts, cached } = reply;
    const keepsBytes = call.stream && mayPass(call, reply) && typeof reply.wire.body !== 'string';
    const source = (this.#broadcast as Broadcast<never>).reader(leave, { copies: facts !== undefined, keepsBytes });
    const { clock } = call.context;
    const events = new EventStream(source, { clock, signal: call.signal }).append({ observes: true, close: leave });
    const said = facts ?? cached;
    return {
      operation,
      target,
      attempts: facts === undefined ? attempts : call.context.attempts,
      ...(said !== undefined && { cached: said }),
      ...(keepsBytes && { wire: { ...reply.wire, body: source.bytesOf(events) } }),
      stream: true,
      events,
    } as unknown as Reply<K>;
  }

  #factsFor(call: Call<K>): CachedFacts {
    return { kind: 'coalesced', ageMs: call.context.clock.monotonic() - this.#startedMs };
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#onOver();
  }
}

/** Whether this caller's door can pass the provider's own bytes on. */
function mayPass<R extends Reply>(call: Call, reply: R): reply is R & { readonly wire: WireReply } {
  return reply.wire !== undefined && call.wire?.protocol === reply.wire.protocol;
}
