import { type Clock, sleep } from '../../core/clock.ts';
import type { WirePlan, WireStep } from './plan.ts';

export interface Playing {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** The reader stopped before the end. */
  readonly onCancel?: () => void;
}

/** Plays a plan as `fetch` would give it: rejections, body errors and aborts have the shapes undici gives them. */
export async function playFetch(plan: WirePlan, playing: Playing): Promise<Response> {
  const { signal } = playing;
  signal?.throwIfAborted();
  for (const step of plan.before) await playBefore(step, playing);
  const empty = plan.status === 204 || plan.status === 304;
  return new Response(empty ? null : bodyOf(plan.body, playing), { status: plan.status, headers: plan.headers });
}

async function playBefore(step: WireStep, { clock, signal }: Playing): Promise<void> {
  switch (step.do) {
    case 'wait':
      return sleep(clock, step.ms, signal);
    case 'hang':
    case 'ping':
      return aborted(signal);
    case 'network':
      throw networkFailure('fetch failed', step.code);
    case 'reset':
      throw networkFailure('fetch failed', 'ECONNRESET');
    default:
  }
}

function bodyOf(steps: readonly WireStep[], playing: Playing): ReadableStream<Uint8Array> {
  const { clock, signal } = playing;
  const stopped = new AbortController();
  let at = 0;
  let open = true;
  const onAbort = (): void => {
    stopped.abort(signal?.reason);
    if (open) failed?.(signal?.reason);
    finish();
  };
  const finish = (): void => {
    open = false;
    signal?.removeEventListener('abort', onAbort);
  };
  let failed: ((reason: unknown) => void) | undefined;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        failed = (reason) => controller.error(reason);
        if (signal?.aborted) onAbort();
        else signal?.addEventListener('abort', onAbort, { once: true });
      },
      async pull(controller) {
        while (open) {
          const step = steps[at++] ?? { do: 'end' };
          switch (step.do) {
            case 'send':
              controller.enqueue(step.bytes);
              return;
            case 'wait':
              await sleep(clock, step.ms, stopped.signal).catch(() => undefined);
              break;
            case 'ping':
              at--;
              await sleep(clock, step.everyMs, stopped.signal).catch(() => undefined);
              if (open) controller.enqueue(new TextEncoder().encode(step.text));
              return;
            case 'hang':
              await aborted(stopped.signal).catch(() => undefined);
              return;
            case 'end':
              finish();
              controller.close();
              return;
            default:
              finish();
              controller.error(networkFailure('terminated', 'UND_ERR_SOCKET'));
              return;
          }
        }
      },
      cancel(reason) {
        finish();
        stopped.abort(reason);
        playing.onCancel?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** What undici throws: a TypeError whose cause has the code. */
function networkFailure(message: string, code: string): TypeError {
  return new TypeError(message, { cause: Object.assign(new Error(code), { code }) });
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal === undefined) return;
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
