import { systemClock, type Clock } from '../../core/clock.ts';
import { denialOf } from '../../core/counter-denial.ts';
import { checkAmounts, checkLimits, checkReserve, checkTtl, hardest, quantity } from '../../core/counter-limits.ts';
import type { CheckedLimit } from '../../core/counter-limits.ts';
import type {
  Adjustment,
  Amounts,
  CounterStore,
  Denial,
  Limit,
  LimitShape,
  LimitState,
  ReserveReply,
  ReserveRequest,
  SettleReply,
} from '../../core/counter-store.ts';
import { GatewayError, invalidOptions, isGatewayError } from '../../core/errors.ts';
import { checkStoreKey, type StoreHealth } from '../../core/store.ts';
import { keyBase, runScript, sender, type RedisClient, type SendCommand } from './client.ts';
import { COUNT } from './counter-script.ts';
import { decodeFacts, encodeAmounts, encodeLimits, viewAll, type Facts } from './counter-wire.ts';
import { evictionPolicy, refuseEviction } from './eviction-policy.ts';
import { Guard } from './guard.ts';
import { Outbox, type Ending } from './outbox.ts';

export interface RedisCounterStoreOptions {
  /** A connected client of ioredis, iovalkey or redis. The store never closes it. */
  readonly client: RedisClient;
  /** Beginning of every key, and its hash tag: all limits of one prefix live in one slot. @defaultValue 'postern' */
  readonly prefix?: string;
  /** Longest wait for Redis, in milliseconds. @defaultValue 50 */
  readonly timeoutMs?: number;
  /** Failures in a row after which nothing waits for Redis until it answers again. @defaultValue 3 */
  readonly failuresMax?: number;
  /** Time between two looks at a Redis that is down, in milliseconds. @defaultValue 500 */
  readonly probeMs?: number;
  /** Settlements and releases kept while Redis is down. @defaultValue 10_000 */
  readonly endingsMax?: number;
  /**
   * What to do about a server that may evict limits (`maxmemory-policy` other than `noeviction`): report the problem,
   * or also refuse every reservation. @defaultValue 'warn'
   */
  readonly onEvictionPolicy?: 'warn' | 'refuse';
  /** Times waits and probes. @defaultValue the system's clock */
  readonly clock?: Clock;
  /** Count by that clock's wall time and not by the server's: for tests. @defaultValue 'server' */
  readonly time?: 'server' | 'clock';
}

/** Limits and budgets of many processes: one Lua script a decision, by the server's time, in integers. */
export function redisCounterStore(options: RedisCounterStoreOptions): CounterStore {
  const { endingsMax = 10_000, onEvictionPolicy = 'warn', time = 'server' } = options;
  if (!Number.isSafeInteger(endingsMax) || endingsMax < 1) {
    throw invalidOptions('endingsMax', 'must be a whole number above 0.');
  }
  if (onEvictionPolicy !== 'warn' && onEvictionPolicy !== 'refuse') {
    throw invalidOptions('onEvictionPolicy', "must be 'warn' or 'refuse'.");
  }
  if (time !== 'server' && time !== 'clock') throw invalidOptions('time', "must be 'server' or 'clock'.");
  return new RedisCounters({ ...options, endingsMax, onEvictionPolicy, time });
}

type Checked = RedisCounterStoreOptions &
  Required<Pick<RedisCounterStoreOptions, 'endingsMax' | 'onEvictionPolicy' | 'time'>>;

class RedisCounters implements CounterStore {
  readonly name = 'redis';
  readonly #send: SendCommand;
  readonly #base: string;
  readonly #guard: Guard;
  readonly #outbox: Outbox;
  readonly #refuses: boolean;
  readonly #time: () => string;
  #policy: Promise<string | undefined> | undefined;

  constructor(options: Checked) {
    const { clock = systemClock } = options;
    this.#send = sender(options.client);
    this.#base = keyBase(options.prefix ?? 'postern');
    this.#refuses = options.onEvictionPolicy === 'refuse';
    this.#time = options.time === 'clock' ? () => String(clock.now()) : () => '';
    const probeMs = options.probeMs ?? 500;
    const probeKey = `${this.#base}probe`;
    this.#guard = new Guard({
      clock,
      timeoutMs: options.timeoutMs ?? 50,
      failuresMax: options.failuresMax ?? 3,
      probeMs,
      // Every decision writes, so a server that only reads is of no use.
      probe: () => this.#send(probeKey, ['set', probeKey, '1', 'PX', '1000']),
      isOutage: () => true,
    });
    this.#outbox = new Outbox({
      clock,
      retryMs: probeMs,
      endingsMax: options.endingsMax,
      send: (ending) => this.#end(ending),
      onLost: () => this.#guard.problem('outbox-full', 'Settlements were lost: Redis is down for too long.'),
    });
    this.#guard.watch(({ state }) => {
      if (state === 'down') this.#policy = undefined;
      else void this.#outbox.flush();
    });
  }

  async reserve(request: ReserveRequest): Promise<ReserveReply> {
    const limits = checkReserve(request);
    this.#policy ??= this.#readPolicy();
    if (this.#refuses) refuseEviction(await this.#policy);
    const args = [...encodeLimits(limits), String(request.ttlMs), request.onExpire === 'charge' ? '1' : '0'];
    // Nobody hears a late or lost answer, so what it reserved would be held until it expires.
    const giveBack = (): void => this.#outbox.add({ id: request.id });
    const asked = this.#count('reserve', request.id, limits, args, giveBack);
    const [admitted, ...reply] = await asked.catch((error: unknown) => {
      if (isGatewayError(error, 'unavailable') && error.cause !== undefined) giveBack();
      throw error;
    });
    const facts = decodeFacts(limits, reply, 1);
    const now = Number(reply[0]);
    const states = viewAll(limits, facts, now);
    if (admitted === '1') return { admitted: true, limits: states };
    const denials = limits.map((limit, index) => {
      const fact = facts[index] as Facts;
      return denialOf(limit, fact, now, () => (fact.expiryWaitMs < 0 ? undefined : fact.expiryWaitMs));
    });
    const denial = hardest(denials.filter((one): one is Denial => one !== undefined));
    if (denial === undefined) throw new GatewayError('internal', 'Redis denied without a reason.', { stage: 'store' });
    return { admitted: false, denial, limits: states };
  }

  settle(id: string, actual: Amounts, limits?: readonly Limit[]): Promise<SettleReply> {
    return this.#endOrDefer({ id, actual, ...(limits !== undefined && { limits }) });
  }

  release(id: string): Promise<SettleReply> {
    return this.#endOrDefer({ id });
  }

  async lease(id: string, ttlMs: number): Promise<boolean> {
    checkStoreKey(id, 'id');
    checkTtl(ttlMs);
    const [renewed] = await this.#count('lease', id, [], ['', '', String(ttlMs)]);
    return renewed === '1';
  }

  async remaining(limits: readonly LimitShape[]): Promise<readonly LimitState[]> {
    const checked = checkLimits(limits);
    const [, now, ...reply] = await this.#count('remaining', '', checked, encodeLimits(checked));
    return viewAll(checked, decodeFacts(checked, reply, 0), Number(now));
  }

  async adjust(id: string, limit: LimitShape, change: Adjustment): Promise<LimitState> {
    checkStoreKey(id, 'id');
    const checked = checkLimits([limit]);
    const [word, amount] = 'to' in change ? (['to', change.to] as const) : (['by', change.by] as const);
    const number = String(quantity(amount, `change.${word}`, Number.MIN_SAFE_INTEGER));
    const [, now, ...reply] = await this.#count('adjust', id, checked, [...encodeLimits(checked), word, number]);
    return viewAll(checked, decodeFacts(checked, reply, 0), Number(now))[0] as LimitState;
  }

  async check(): Promise<StoreHealth> {
    await (this.#policy = this.#readPolicy());
    return this.health();
  }

  health(): StoreHealth {
    return this.#guard.health();
  }

  watch(listener: (health: StoreHealth) => void): () => void {
    return this.#guard.watch(listener);
  }

  close(): void {
    this.#outbox.close();
    this.#guard.close();
  }

  async #endOrDefer(ending: Ending): Promise<SettleReply> {
    checkStoreKey(ending.id, 'id');
    if (ending.actual !== undefined) checkAmounts(ending.actual);
    if (ending.limits !== undefined) checkLimits(ending.limits);
    try {
      return await this.#end(ending);
    } catch (error) {
      if (!isGatewayError(error, 'unavailable')) throw error;
      this.#outbox.add(ending);
      return { status: 'deferred', limits: [] };
    }
  }

  async #end({ id, actual, limits }: Ending): Promise<SettleReply> {
    const checked = limits === undefined ? [] : checkLimits(limits);
    const operation = actual === undefined ? 'release' : 'settle';
    const args = [...encodeLimits(checked), encodeAmounts(actual ?? {})];
    const [status, now, views, ...reply] = await this.#count(operation, id, checked, args);
    if (status !== 'settled' && status !== 'released') {
      return { status: status === 'repeated' ? 'repeated' : 'unknown', limits: [] };
    }
    const shown = JSON.parse(views ?? '[]') as readonly CheckedLimit[];
    return { status, limits: viewAll(shown, decodeFacts(shown, reply, 0), Number(now)) };
  }

  async #count(
    operation: string,
    id: string,
    limits: readonly CheckedLimit[],
    args: readonly string[],
    late?: () => void,
  ): Promise<readonly string[]> {
    const keys: [string, ...string[]] = [`${this.#base}r:${id}`];
    for (const { stateKey } of limits) keys.push(`${this.#base}s:${stateKey}`, `${this.#base}l:${stateKey}`);
    const run = (): Promise<unknown> => runScript(this.#send, COUNT, keys, [operation, this.#time(), id, ...args]);
    return (await this.#guard.run(run, late)) as readonly string[];
  }

  async #readPolicy(): Promise<string | undefined> {
    try {
      const policy = await this.#guard.run(() => evictionPolicy(this.#send, this.#base));
      this.#guard.solved('eviction-policy-unknown');
      if (policy === 'noeviction') this.#guard.solved('eviction-policy');
      else
        this.#guard.problem('eviction-policy', `maxmemory-policy is ${policy}: Redis may drop limits. Set noeviction.`);
      return policy;
    } catch (error) {
      if (isGatewayError(error, 'unavailable') && this.#guard.health().state === 'down') this.#policy = undefined;
      this.#guard.problem(
        'eviction-policy-unknown',
        'Redis does not tell its maxmemory-policy; it must be noeviction.',
      );
      return undefined;
    }
  }
}
