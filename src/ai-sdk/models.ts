import { invalidOptions } from '../core/errors.ts';
import type { Gateway } from '../gateway-types.ts';
import type { ChatRequestInput } from '../operations/chat-input.ts';
import { contentOf, finishOf, metadataOf, responseMetadata, usageFor, warningsFor } from './answer.ts';
import { chatRequestOf } from './request.ts';
import type { AiCallOptions, AiEmbeddingModel, AiLanguageModel, AiWarning } from './specification.ts';
import { partsOf } from './stream.ts';

/**
 * A gateway as a language model of the AI SDK (specification v4): `generateText`, `streamText`, `Output` and agents run
 * through it. Failures are thrown as they are, so the AI SDK does not try again what the gateway already has.
 *
 * @param id An alias, or `provider/model`.
 * @example
 * const { text } = await generateText({ model: languageModel(gateway, 'fast'), prompt: 'Name three rivers.' });
 */
export function languageModel(gateway: Gateway, id: string): AiLanguageModel {
  check('languageModel', gateway, id);
  return {
    specificationVersion: 'v4',
    provider: 'postern',
    modelId: id,
    // Each dialect decides itself whether its provider fetches a URL.
    supportedUrls: { '*/*': [/^https?:/] },
    async doGenerate(options) {
      const { request, warnings } = inputOf(id, options);
      const response = await gateway.chat(request, callOptions(options));
      return {
        content: contentOf(response.message),
        finishReason: finishOf(response.finish),
        usage: usageFor(response.usage),
        warnings: [...warnings, ...warningsFor(response.warnings)],
        response: responseMetadata(response),
        providerMetadata: metadataOf(response),
      };
    },
    async doStream(options) {
      const { request, warnings } = inputOf(id, options);
      const stream = gateway.stream(request, callOptions(options));
      // A failure before the first content is thrown, as that of a plain call.
      await stream.started;
      return { stream: partsOf(stream, warnings) };
    },
  };
}

/**
 * A gateway as an embedding model of the AI SDK.
 *
 * @example
 * const { embedding } = await embed({ model: embeddingModel(gateway, 'openai/text-embedding-3-small'), value: 'a' });
 */
export function embeddingModel(gateway: Gateway, id: string): AiEmbeddingModel {
  check('embeddingModel', gateway, id);
  return {
    specificationVersion: 'v4',
    provider: 'postern',
    modelId: id,
    // The least that a large provider takes at once (Cohere, read 2026-11-22): the alias may lead to any of them.
    maxEmbeddingsPerCall: 96,
    supportsParallelCalls: true,
    async doEmbed({ values, dimensions, ...options }) {
      const request = { model: id, input: values, ...(dimensions !== undefined && { dimensions }) };
      const response = await gateway.embed(request, callOptions(options));
      return {
        embeddings: response.vectors.map((vector) => [...vector]),
        warnings: warningsFor(response.warnings),
        providerMetadata: metadataOf(response),
        ...(response.usage.quality !== 'unknown' && { usage: { tokens: response.usage.total } }),
      };
    },
  };
}

function check(name: string, gateway: Gateway, id: string): void {
  if (typeof gateway?.chat !== 'function') throw invalidOptions(`${name}.gateway`, 'expected a gateway.');
  if (typeof id !== 'string' || id === '') {
    throw invalidOptions(`${name}.id`, 'expected an alias or provider/model, like "openai/gpt-5-mini".');
  }
}

/** A request in normal form is one people may write. */
function inputOf(id: string, options: AiCallOptions): { request: ChatRequestInput; warnings: AiWarning[] } {
  const { request, warnings } = chatRequestOf(id, options);
  return { request: request as ChatRequestInput, warnings };
}

/** Headers the gateway does not let callers set are the AI SDK's own affair: its user agent. */
function callOptions({ abortSignal, headers }: Pick<AiCallOptions, 'abortSignal' | 'headers'>) {
  const sent = Object.entries(headers ?? {}).flatMap(([name, value]) =>
    value === undefined || name.toLowerCase() === 'user-agent' ? [] : [[name, value] as const],
  );
  return {
    ...(abortSignal !== undefined && { signal: abortSignal }),
    ...(sent.length > 0 && { headers: Object.fromEntries(sent) }),
  };
}
