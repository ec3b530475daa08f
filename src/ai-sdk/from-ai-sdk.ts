import type { Call, Reply } from '../core/call.ts';
import { plainTarget } from '../core/call.ts';
import { codeOfStatus, factsOfHead } from '../core/error-facts.ts';
import { GatewayError, invalidOptions, isGatewayError } from '../core/errors.ts';
import { EventStream } from '../core/event-stream.ts';
import { defineProvider, type Provider } from '../core/provider.ts';
import { networkError } from '../core/transport.ts';
import type { ChatEvent } from '../operations/chat-events.ts';
import type { ResponseFacts, Target, Warning } from '../operations/shared.ts';
import { unknownUsage, usageOf } from '../operations/usage.ts';
import { finishFrom, outputPartOf, PartDecoder, usageFrom, warningsFrom } from './ai-answer.ts';
import { lossesOf } from './losses.ts';
import { callOptionsOf } from './prompt.ts';
import type {
  AiEmbeddingModel,
  AiLanguageModel,
  AiResponseMetadata,
  AiStreamPart,
  AnyEmbeddingModel,
  AnyLanguageModel,
} from './specification.ts';

type Source<M> = M | ((id: string) => M);

export interface FromAiSdkOptions {
  /** Name in `provider/model`. @defaultValue the model's provider up to its first dot, as in `google` */
  readonly name?: string;
  /** What answers `embed`: an embedding model, or a function that makes one from a model name. */
  readonly embedding?: Source<AnyEmbeddingModel>;
}

const PROTOCOL = 'ai-sdk';

/**
 * A language model of the AI SDK, or a function that makes one from a model name (such as its provider objects), as a
 * provider. With a single model every name leads to it.
 *
 * @example
 * createGateway({ providers: [fromAiSdk(google('gemini-x'))], models: { default: 'google/gemini-x' } })
 */
export function fromAiSdk(model: Source<AnyLanguageModel>, options: FromAiSdkOptions = {}): Provider {
  const single = typeof model === 'function' ? undefined : model;
  if (single !== undefined && typeof single?.doGenerate !== 'function') {
    throw invalidOptions('fromAiSdk.model', 'expected a language model of the AI SDK, or a function that makes one.');
  }
  const name = options.name ?? single?.provider.split('.', 1)[0];
  if (name === undefined) throw invalidOptions('fromAiSdk.name', 'a function that makes models needs a name.');
  const { embedding } = options;
  const of = <M>(source: unknown, id: string): M =>
    // Of what a model gives only the parts written down in `specification.ts` are read, and those leniently.
    (typeof source === 'function' ? source(id) : source) as M;
  return defineProvider({
    name,
    protocols: [],
    handlers: {
      chat: (call) => guarded(call, (target) => chat(of<AiLanguageModel>(model, target.model), call, target)),
      ...(embedding !== undefined && {
        embed: (call: Call<'embed'>) =>
          guarded(call, (target) => embed(of<AiEmbeddingModel>(embedding, target.model), call, target)),
      }),
    },
    translate: (call) =>
      call.operation === 'chat' && call.target !== undefined
        ? lossesOf(call as unknown as Call<'chat'>, plainTarget(call.target))
        : [],
    ...(single !== undefined && { models: () => [single.modelId] }),
  });
}

async function chat(model: AiLanguageModel, call: Call<'chat'>, target: Target): Promise<Reply<'chat'>> {
  const lost = lossesOf(call, target);
  const options = {
    ...callOptionsOf(call.request, call.signal),
    ...(call.headers !== undefined && { headers: call.headers }),
  };
  const base = { operation: 'chat', target, attempts: call.context.attempts } as const;
  if (!call.stream) {
    const result = await model.doGenerate(options);
    const facts = factsOf(result.response, call, target);
    const { id, model: answered } = facts;
    const origin = { protocol: PROTOCOL, provider: target.provider, model: answered, responseId: id };
    return {
      ...base,
      stream: false,
      response: {
        ...facts,
        message: { role: 'assistant', content: result.content.flatMap(outputPartOf), origin },
        finish: finishFrom(result.finishReason),
        usage: usageFrom(result.usage, facts.model),
        warnings: [...lost, ...warningsFrom(result.warnings)],
      },
    };
  }
  const { stream } = await model.doStream(options);
  const { clock } = call.context;
  return {
    ...base,
    stream: true,
    ...(lost.length > 0 && { warnings: lost }),
    events: new EventStream(sourceOf(stream, call, target, lost), { clock, signal: call.signal }),
  };
}

/** The stream of an AI SDK model as a source of events. */
function sourceOf(stream: ReadableStream<AiStreamPart>, call: Call, target: Target, lost: readonly Warning[]) {
  const reader = stream.getReader();
  const decoder = new PartDecoder(target.model);
  let begun = false;
  const begin = (emit: (event: ChatEvent) => void, part?: AiStreamPart): void => {
    if (begun) return;
    begun = true;
    const facts = factsOf(part?.type === 'response-metadata' ? part : undefined, call, target);
    emit({ type: 'start', provider: target.provider, protocol: PROTOCOL, ...facts, warnings });
  };
  let warnings = lost;
  return {
    async read(emit: (event: ChatEvent) => void): Promise<boolean> {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw failureOf(error, call, target);
      });
      if (done) {
        if (decoder.finished) return false;
        const where = `${target.provider}/${target.model}`;
        throw new GatewayError('stream-interrupted', `${where} stopped in the middle of its answer.`, { target });
      }
      if (value.type === 'error') throw failureOf(value.error, call, target);
      if (value.type === 'stream-start') warnings = [...lost, ...warningsFrom(value.warnings)];
      else begin(emit, value);
      for (const event of decoder.events(value)) emit(event);
      return true;
    },
    cancel: (reason: unknown) => void reader.cancel(reason).catch(() => undefined),
  };
}

async function embed(model: AiEmbeddingModel, call: Call<'embed'>, target: Target): Promise<Reply<'embed'>> {
  const { input, dimensions } = call.request;
  const result = await model.doEmbed({
    values: [...input],
    abortSignal: call.signal,
    ...(dimensions !== undefined && { dimensions }),
  });
  const tokens = result.usage?.tokens;
  return {
    operation: 'embed',
    stream: false,
    target,
    attempts: call.context.attempts,
    response: {
      ...factsOf(undefined, call, target),
      embeddings: result.embeddings.map((vector, index) => ({ index, vector })),
      encoding: 'float',
      dimensions: result.embeddings[0]?.length ?? 0,
      usage:
        tokens === undefined
          ? unknownUsage(target.model)
          : usageOf([{ model: target.model, role: 'main', tokens: { input: tokens } }], { quality: 'reported' }),
      warnings: warningsFrom(result.warnings),
    },
  };
}

function factsOf(metadata: AiResponseMetadata | undefined, call: Call, target: Target): ResponseFacts {
  const createdAt = metadata?.timestamp ?? new Date(call.context.clock.now());
  return {
    id: metadata?.id ?? call.attempt?.id ?? call.id,
    model: metadata?.modelId ?? target.model,
    createdAt: createdAt.toISOString(),
  };
}

async function guarded<T>(call: Call, work: (target: Target) => Promise<T>): Promise<T> {
  if (call.target === undefined) throw new GatewayError('internal', 'A provider was called without a target.');
  const target = plainTarget(call.target);
  try {
    return await work(target);
  } catch (error) {
    throw failureOf(error, call, target);
  }
}

/** An error of the AI SDK as ours: its status says what it is. */
function failureOf(thrown: unknown, call: Call, target: Target): GatewayError {
  if (isGatewayError(thrown) || call.signal.aborted) return networkError(thrown, target, call.signal);
  const { statusCode, responseHeaders } = Object(thrown) as { statusCode?: unknown; responseHeaders?: unknown };
  if (typeof statusCode !== 'number') return networkError(thrown, target, call.signal);
  const headers = (responseHeaders ?? {}) as Readonly<Record<string, string>>;
  const facts = factsOfHead({ status: statusCode, headers }, target, call.context.clock.now());
  const message = `${target.provider}/${target.model} answered ${statusCode}.`;
  return new GatewayError(codeOfStatus(statusCode), message, { ...facts, source: 'provider', cause: thrown });
}
