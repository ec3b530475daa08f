import type { EmbedRequest, EmbedResponse } from './embed.ts';
import type { RawRequest, RawResponse } from './index.ts';
import type { OperationTraits } from './traits.ts';
import { estimateTokens, unknownUsage, usageOf } from './usage.ts';

/** What middleware has to know about embeddings. */
export const embedTraits: OperationTraits<EmbedRequest, EmbedResponse, never> = {
  name: 'embed',
  mapRequestText(request, map) {
    const input = request.input.map((text, index) =>
      map(text, { path: `input[${index}]`, kind: 'embedding', form: 'text' }),
    );
    return input.every((text, index) => text === request.input[index]) ? request : { ...request, input };
  },
  mapResponseText: (response) => response,
  usage: (response) => response.usage,
  estimate(request, _response, model) {
    const input = request.input.reduce((sum, text) => sum + estimateTokens(text), 0);
    return usageOf([{ model, role: 'main', tokens: { input } }], { quality: 'estimated' });
  },
  isComplete: (response) => response.embeddings.length > 0,
};

/** What middleware has to know about calls no dialect understands: nothing but that they happened. */
export const rawTraits: OperationTraits<RawRequest, RawResponse, never> = {
  name: 'raw',
  mapRequestText: (request) => request,
  mapResponseText: (response) => response,
  usage: () => unknownUsage(''),
  estimate: (_request, _response, model) => unknownUsage(model),
  isComplete: () => false,
};
