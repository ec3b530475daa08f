import type { Call, Next, Reply } from './core/call.ts';
import { type CallFacts, settleFacts } from './core/call-facts.ts';
import type { Clock } from './core/clock.ts';
import { compose } from './core/compose.ts';
import { createDispatch } from './core/dispatch.ts';
import { needsPrices } from './catalogue.ts';
import { costKey } from './core/cost.ts';
import { checkConfiguration } from './core/check-configuration.ts';
import { GatewayError, toGatewayError } from './core/errors.ts';
import type { Host, Middleware, MiddlewareInfo } from './core/middleware.ts';
import type { Provider } from './core/provider.ts';
import { compileRegistry, type ModelsConfiguration, type Registry } from './core/registry.ts';
import { linkedController } from './core/signals.ts';
import type { OperationName } from './operations/index.ts';
import { addUsage } from './operations/usage.ts';
import { createNotices } from './models.ts';
import { checkOrder, providersByName } from './runtime-checks.ts';
import { reportProblem, type Shared } from './shared.ts';

/** The data half of a gateway's options: what `configure` may change while calls are in flight. */
export interface Configuration {
  readonly models?: ModelsConfiguration;
  /** JSON options of middleware that takes some while it runs, by its name: the `limits` of `budget` and `rateLimit`. */
  readonly options?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** One gateway's machinery: providers, configuration and the folded handler. */
export interface Runtime {
  readonly shared: Shared;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly middleware: readonly Middleware[];
  readonly faces: readonly MiddlewareInfo[];
  registry(): Registry;
  options(name: string): Readonly<Record<string, unknown>> | undefined;
  configure(next: Configuration): number;
  run<K extends OperationName>(call: Call<K>, timeoutMs: number): Promise<Reply<K>>;
  close(timeoutMs: number): Promise<void>;
}

export interface RuntimeOptions extends Configuration {
  readonly shared: Shared;
  readonly providers: readonly Provider[];
  readonly middleware: readonly Middleware[];
}

export function createRuntime(options: RuntimeOptions): Runtime {
  const { shared, middleware } = options;
  const providers = providersByName(options.providers);
  let registry = compileRegistry(options.models ?? {}, providers, 1);
  let middlewareOptions = options.options ?? {};
  const infos = middleware.flatMap((layer) => (layer.info === undefined ? [] : [layer.info]));
  // Learns from every attempt, whatever stands in the list.
  const learning: MiddlewareInfo = { name: 'routing', attempt: (call) => shared.routing.observe(call) };
  const faces = [...infos.filter((info) => info.attempt !== undefined), learning];
  checkOrder(infos);
  checkConfiguration({ options: middlewareOptions }, infos);
  const handler: Next = compose(
    middleware,
    createDispatch({ providers, health: shared.health, order: shared.routing.order }),
  );
  let waiting: Promise<void> | undefined;
  const awaitPrices = (): void => {
    if (!needsPrices(registry)) return;
    waiting = shared.catalogue.load()?.then(() => {
      waiting = undefined;
    });
  };
  awaitPrices();
  const notices = createNotices(shared);
  const runtime: Runtime = {
    shared,
    providers,
    middleware,
    faces,
    registry: () => registry,
    options: (name) => middlewareOptions[name],
    configure(next) {
      try {
        checkConfiguration(next, infos);
        // Compiled first, swapped whole: a call sees all of the old or all of the new.
        registry = compileRegistry(next.models ?? registry.models, providers, registry.revision + 1);
      } catch (error) {
        const { message } = toGatewayError(error, 'configure');
        shared.emit('configuration', { revision: registry.revision, status: 'refused', message });
        throw error;
      }
      if (next.options !== undefined) middlewareOptions = next.options;
      awaitPrices();
      shared.emit('configuration', { revision: registry.revision, status: 'applied' });
      return registry.revision;
    },
    run(call, timeoutMs) {
      notices(registry);
      // Only a configuration that compares prices it does not name waits for the price list, once.
      if (waiting === undefined) return runBounded(handler, shared, call, timeoutMs);
      return waiting.then(() => runBounded(handler, shared, call, timeoutMs));
    },
    close: (timeoutMs) => close(runtime, infos, timeoutMs),
  };
  const host: Host = {
    providers,
    middleware: infos,
    clock: shared.clock,
    random: shared.random,
    health: shared.health,
    routing: shared.routing,
    events: shared.events,
    emit: shared.emit,
    options: runtime.options,
    waitUntil: shared.waitUntil,
    resolve: (model, operation) => registry.resolve(model, operation).candidates[0],
  };
  for (const info of infos) {
    // A derived gateway shares the state of its middleware: each starts once.
    if (shared.started.has(info)) continue;
    shared.started.add(info);
    info.start?.(host);
  }
  return runtime;
}

/** Bounds a call until its reply, follows the caller's signal, and lets go of it at the end. */
async function runBounded<K extends OperationName>(
  handler: Next,
  shared: Shared,
  call: Call<K>,
  timeoutMs: number,
): Promise<Reply<K>> {
  const controller = linkedController(call.signal);
  const abort = (reason: unknown): void => controller.abort(reason);
  shared.inFlight.add(abort);
  const deadline =
    timeoutMs === 0 ? undefined : shared.deadlines.enter(timeoutMs, () => controller.abort(tookTooLong(timeoutMs)));
  const leave = (): void => {
    deadline?.leave();
    shared.inFlight.delete(abort);
    controller.unlink();
  };
  const bounded: Call<K> = {
    ...call,
    signal: controller.signal,
    ...(deadline !== undefined && { deadline: deadline.atMs }),
  };
  try {
    const reply = await observed(handler, shared, bounded);
    deadline?.leave();
    if (reply.stream) reply.events.append({ observes: true, close: leave });
    else leave();
    return reply;
  } catch (thrown) {
    leave();
    const reason: unknown = controller.signal.reason;
    const error =
      controller.signal.aborted && reason instanceof GatewayError ? reason : toGatewayError(thrown, 'A middleware');
    const { attempts } = call.context;
    throw error.with({ attempts: [...attempts] });
  }
}

function tookTooLong(timeoutMs: number): GatewayError {
  const message = `The call had no reply within ${timeoutMs} ms (timeoutMs); its attempts are on this error.`;
  return new GatewayError('timeout', message, { stage: 'total', fallbackable: false, retryable: false });
}

/** Tells of a call's beginning and end, if anybody listens. */
function observed<K extends OperationName>(handler: Next, shared: Shared, call: Call<K>): Promise<Reply<K>> {
  const { events, emit, clock } = shared;
  const { id, operation, scope, request } = call;
  if (events.has('call-start')) emit('call-start', { id, operation, model: request.model, scope });
  if (!events.has('call-end')) return handler(call);
  const began = clock.monotonic();
  const end = ({ status, target, cached, error }: CallFacts): void => {
    const { attempts } = call.context;
    const cost = call.context.get(costKey);
    emit('call-end', {
      id,
      operation,
      status,
      durationMs: clock.monotonic() - began,
      attempts: [...attempts],
      usage: addUsage(attempts.flatMap((attempt) => attempt.usage ?? [])),
      ...(target !== undefined && { target }),
      ...(cached !== undefined && { cached }),
      ...(cost !== null && { cost }),
      ...(status === 'failed' && error !== undefined && { error }),
    });
  };
  // A reply of one operation is one of the union of all.
  return settleFacts(handler(call) as Promise<Reply>, { end }) as Promise<Reply<K>>;
}

async function close(runtime: Runtime, infos: readonly MiddlewareInfo[], timeoutMs: number): Promise<void> {
  const { shared } = runtime;
  if (shared.closed) return;
  shared.closed = true;
  const { clock } = shared;
  const until = clock.monotonic() + timeoutMs;
  const drained = async (): Promise<void> => {
    while (shared.background.size > 0) await Promise.allSettled(shared.background);
  };
  for (const abort of [...shared.inFlight]) {
    abort(new GatewayError('closed', 'The gateway was closed while the call was running.'));
  }
  await within(clock, until, drained());
  for (const info of infos) {
    if (info.close === undefined) continue;
    await within(
      clock,
      until,
      info.close().catch((thrown: unknown) => reportProblem(shared.emit, thrown, info.name)),
    );
  }
  for (const provider of runtime.providers.values()) await provider.close?.();
}

function within(clock: Clock, until: number, work: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(Math.max(0, until - clock.monotonic()), resolve);
    void work.then(() => {
      timer.cancel();
      resolve();
    });
  });
}
