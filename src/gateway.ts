import { type CallFace, chatCall, makeCall, normalised, splitOptions, timeoutOf } from './calls.ts';
import { createChatStream } from './chat-stream.ts';
import type { PlainReply, Scope, StreamReply } from './core/call.ts';
import { GatewayError, invalidOptions } from './core/errors.ts';
import { LIMITS } from './core/limits.ts';
import type { Provider } from './core/provider.ts';
import type { ModelsConfiguration } from './core/registry.ts';
import { linkedController } from './core/signals.ts';
import { outputOf, wantsOutput } from './core/structured-output.ts';
import { doorHostOf } from './door-host.ts';
import { gatewayFetch } from './doors/fetch.ts';
import { scopeHeaders } from './doors/metadata.ts';
import { wrapClient } from './doors/wrap.ts';
import { explain } from './explain.ts';
import type { CallOptions, ChatArgument, Gateway, GatewayOptions, WithOptions } from './gateway-types.ts';
import type { EmbedInput } from './operations/chat-input.ts';
import { normaliseEmbed } from './operations/embed-normalise.ts';
import type { OperationName, Operations } from './operations/index.ts';
import { didYouMean } from './operations/problem.ts';
import { createAmbient } from '#platform';
import { chatResponseOf, costKey, embedResponseOf } from './response.ts';
import { models } from './models.ts';
import { type Configuration, createRuntime, type Runtime } from './runtime.ts';
import { mergeScopes } from './scopes.ts';
import { createShared, type Shared } from './shared.ts';
import { standard } from './standard.ts';
import { watch, type WatchOptions } from './watch.ts';

const OPTION_NAMES = new Set([
  'providers',
  'use',
  'models',
  'options',
  'scope',
  'requireScope',
  'attemptsMax',
  'timeoutMs',
  'strict',
  'clock',
  'random',
  'catalogue',
]);

/** Factories of middleware: easily passed without their parentheses. A test holds this to what there is. */
const FACTORIES = new Set(
  (
    'budget cache cascade circuitBreaker concurrency dedupe fallback guardrail hedge logger meter promptCache rateLimit ' +
    'redact retry route semanticCache shadow telemetry timeout useCase'
  ).split(' '),
);

/** What an extension of the gateway (a door) may reach. Not part of the public interface. */
export const RUNTIME = Symbol('postern.runtime');

/**
 * Makes a gateway.
 *
 * @throws GatewayError `invalid-options` naming the field.
 * @example
 * const gateway = createGateway({ providers: [openai()], models: { default: 'openai/gpt-5-mini' } });
 * const { text } = await gateway.chat('Name three rivers.');
 */
export function createGateway<
  const M extends ModelsConfiguration = ModelsConfiguration,
  const P extends readonly Provider[] = readonly Provider[],
>(options: GatewayOptions<M, P> = {}): Gateway<M, P[number]['name']> {
  checkOptions(options);
  const shared = createShared(options.clock, options.random, options.catalogue);
  return faceOf({ runtime: runtimeOf(options, shared), options, ambient: createAmbient<Scope>() });
}

function runtimeOf(options: GatewayOptions, shared: Shared): Runtime {
  return createRuntime({
    shared,
    providers: options.providers ?? [],
    middleware: options.use ?? standard(),
    ...(options.models !== undefined && { models: options.models }),
    ...(options.options !== undefined && { options: options.options }),
  });
}

function checkOptions(options: GatewayOptions): void {
  if (typeof options !== 'object' || options === null) throw invalidOptions('options', 'expected an object.');
  for (const name of Object.keys(options)) {
    if (!OPTION_NAMES.has(name))
      throw invalidOptions(name, `is no option of createGateway.${didYouMean(name, OPTION_NAMES)}`);
  }
  const { use, attemptsMax, timeoutMs } = options;
  if (use !== undefined && (!Array.isArray(use) || use.some((layer) => typeof layer !== 'function'))) {
    throw invalidOptions('use', 'expected a list of middleware, like [retry(), route()]; did you forget to call one?');
  }
  // A middleware takes a call and what comes next; a factory takes options at most.
  const uncalled = use?.find((layer) => layer.length < 2 && layer.info === undefined && FACTORIES.has(layer.name));
  if (uncalled !== undefined) throw invalidOptions('use', `call it: ${uncalled.name}() instead of ${uncalled.name}.`);
  if (attemptsMax !== undefined && !(Number.isInteger(attemptsMax) && attemptsMax > 0)) {
    throw invalidOptions('attemptsMax', 'expected a whole number of at least 1.');
  }
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
    throw invalidOptions('timeoutMs', 'expected milliseconds; 0 is no limit.');
  }
}

function faceOf(face: CallFace): Gateway {
  const { runtime, ambient } = face;
  const { shared } = runtime;
  const begin = (): void => {
    if (shared.closed) throw new GatewayError('closed', 'The gateway is closed; make a new one.');
  };
  const door = doorHostOf(face);
  const gateway = {
    async chat(input: ChatArgument, beside?: CallOptions) {
      begin();
      const { call, timeoutMs } = chatCall(face, input, beside, false);
      const reply = (await runtime.run(call, timeoutMs)) as PlainReply<'chat'>;
      const cost = call.context.get(costKey);
      const output = wantsOutput(call) ? await outputOf(call, reply.response) : undefined;
      return chatResponseOf(reply.response, { ...reply, attempts: call.context.attempts }, cost, output);
    },
    stream(input: ChatArgument, beside?: CallOptions) {
      const linked = linkedController(splitOptions(input, beside).options.signal);
      const opening = (async () => {
        begin();
        const { call, timeoutMs } = chatCall(face, input, beside, true);
        const reply = (await runtime.run({ ...call, signal: linked.signal }, timeoutMs)) as StreamReply<'chat'>;
        reply.events.append({ observes: true, close: linked.unlink });
        return { call, reply };
      })();
      opening.catch(linked.unlink);
      return createChatStream(opening, linked.abort);
    },
    async embed(input: EmbedInput & CallOptions, beside?: CallOptions) {
      begin();
      const { options, request } = splitOptions(input, beside);
      const normal = normalised(() => normaliseEmbed(request as EmbedInput));
      const call = makeCall(face, 'embed', normal, options, false);
      const reply = (await runtime.run(call, timeoutOf(face, options))) as PlainReply<'embed'>;
      return embedResponseOf({ ...reply, attempts: call.context.attempts }, call.context.get(costKey));
    },
    async call<K extends OperationName>(
      operation: K,
      request: Operations[K]['request'],
      options: CallOptions & { readonly stream?: boolean } = {},
    ) {
      begin();
      const call = makeCall(face, operation, request, options, options.stream ?? false);
      return runtime.run(call, timeoutOf(face, options));
    },
    with: (options: WithOptions) => derive(face, options),
    run<R>(scope: Scope, work: () => R): R {
      if (ambient === undefined) {
        throw new GatewayError(
          'unsupported',
          'This runtime has no AsyncLocalStorage, so run() cannot carry a scope; use gateway.with({ scope }).',
        );
      }
      return ambient.run(mergeScopes(ambient.get() ?? {}, scope), work);
    },
    wrap: <C extends object>(client: C): C => wrapClient(door, client),
    fetch: gatewayFetch(door),
    headers: scopeHeaders,
    configure: (next: Configuration) => runtime.configure(next),
    models: () => models(runtime),
    rollouts: () => shared.routing.rollouts(),
    watch: (source: string | URL, options?: WatchOptions) => watch(runtime, source, options),
    explain: (input: ChatArgument, beside?: CallOptions) =>
      explain(runtime, chatCall(face, input, beside, false, { dry: true }).call),
    on: shared.events.on,
    close: (options: { readonly timeoutMs?: number } = {}) => runtime.close(options.timeoutMs ?? LIMITS.closeMs),
    [Symbol.asyncDispose]: () => runtime.close(LIMITS.closeMs),
  };
  Object.defineProperty(gateway, RUNTIME, { value: face });
  // The generic signatures of `chat` and `stream` only narrow what these return.
  return Object.freeze(gateway) as unknown as Gateway;
}

function derive(face: CallFace, changes: WithOptions): Gateway {
  const options: GatewayOptions = {
    ...face.options,
    ...changes,
    scope: mergeScopes(face.options.scope ?? {}, changes.scope ?? {}),
  } as GatewayOptions;
  const { runtime } = face;
  const rebuilt = changes.providers !== undefined || changes.models !== undefined || changes.use !== undefined;
  if (!rebuilt) return faceOf({ ...face, options });
  const registry = runtime.registry();
  const providers =
    typeof changes.providers === 'function'
      ? changes.providers(providerNames(runtime))
      : (changes.providers ?? [...runtime.providers.values()]);
  const next = createRuntime({
    shared: runtime.shared,
    providers,
    models: changes.models ?? registry.models,
    middleware: changes.use ?? runtime.middleware,
  });
  return faceOf({ ...face, runtime: next, options: { ...options, providers } });
}

/** Names of the providers there are and of those the aliases ask for. */
function providerNames(runtime: Runtime): string[] {
  const registry = runtime.registry();
  const names = new Set(runtime.providers.keys());
  for (const alias of registry.aliases) {
    const { candidates, losers } = registry.resolve(alias, 'raw');
    for (const { provider } of candidates) names.add(provider);
    for (const { target } of losers) names.add(target.split('/')[0] as string);
  }
  return [...names];
}
