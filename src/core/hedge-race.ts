import type { OperationName } from '../operations/index.ts';
import type { Call, Candidate, Next, Reply } from './call.ts';
import type { Timer } from './clock.ts';
import { GatewayError, isGatewayError } from './errors.ts';
import { discard } from './reply.ts';
import { type LinkedController, linkedController } from './signals.ts';

/** One call that may be sent twice: the first reply wins, the other is aborted. */
export interface HedgeRace {
  /** An attempt of the race begins. Before the second runner starts, this sets its time. */
  attempted(target: Candidate): void;
}

export interface RaceOptions {
  /** How long to wait for a target before a second runner starts, in milliseconds; `undefined` never. */
  readonly delayMs: (target: Candidate) => number | undefined;
  /** Asked when it is time: whether the load and the budget allow a second runner. */
  readonly mayStart: () => boolean;
}

/** Failures of a walk that met the other runner on its way. */
const WALKED = new Set(['all-targets-failed', 'no-target']);

interface Runner {
  readonly link: LinkedController;
  done: boolean;
}

/** Runs a call, and a second one beside it if the first takes too long. */
export function hedgeRace<K extends OperationName>(
  call: Call<K>,
  next: Next,
  options: RaceOptions,
): HedgeRace & { run(): Promise<Reply<K>> } {
  const { clock } = call.context;
  const runners: Runner[] = [];
  const tried = new Set<string>();
  let timer: Timer | undefined;
  let settled = false;
  const { promise, resolve, reject } = Promise.withResolvers<Reply<K>>();

  const finish = (winner: Runner | undefined): void => {
    settled = true;
    timer?.cancel();
    for (const runner of runners) {
      if (runner === winner) continue;
      if (!runner.done)
        runner.link.abort(
          new GatewayError('aborted', 'Another attempt was first.', { stage: 'hedge', fault: 'gateway' }),
        );
      runner.link.unlink();
    }
  };
  const won = (runner: Runner, reply: Reply<K>): void => {
    runner.done = true;
    if (settled) {
      discard(reply as Reply, runner.link.signal.reason);
      return;
    }
    finish(runner);
    if (reply.stream) reply.events.append({ observes: true, close: runner.link.unlink });
    else runner.link.unlink();
    resolve(reply);
  };
  const lost = (runner: Runner, error: unknown): void => {
    runner.done = true;
    runner.link.unlink();
    if (settled) return;
    // A no that any target would give ends the race; else the other runner may still make it.
    const hopeless = call.signal.aborted || !isGatewayError(error) || !(error.fallbackable || WALKED.has(error.code));
    if (!hopeless && runners.some((other) => !other.done)) return;
    finish(undefined);
    reject(error);
  };
  const start = (plan: Call['plan']): void => {
    const runner: Runner = { link: linkedController(call.signal), done: false };
    runners.push(runner);
    next({ ...call, plan, signal: runner.link.signal }).then(
      (reply) => won(runner, reply),
      (error: unknown) => lost(runner, error),
    );
  };
  const second = (waitedMs: number): void => {
    const first = runners[0];
    if (settled || first === undefined || first.done || call.context.attemptsLeft() === 0 || !options.mayStart())
      return;
    const { attempts, ledger } = call.context;
    const running = attempts.findLast(({ outcome }) => outcome === 'running');
    if (running !== undefined)
      ledger.update(running.id, { next: `hedge: no content after ${Math.round(waitedMs)} ms` });
    const others = call.plan.candidates.filter(({ id }) => !tried.has(id));
    start(others.length === 0 ? call.plan : { ...call.plan, candidates: others });
  };
  return {
    attempted(target) {
      tried.add(target.id);
      if (settled || runners.length > 1) return;
      timer?.cancel();
      const delayMs = options.delayMs(target);
      timer = delayMs === undefined ? undefined : clock.after(delayMs, () => second(delayMs));
    },
    run() {
      start(call.plan);
      return promise;
    },
  };
}
