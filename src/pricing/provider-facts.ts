import type { ProviderEntry } from './catalogue.ts';

type Facts = Pick<ProviderEntry, 'aliases' | 'multipliers' | 'units'>;

/**
 * What the price data does not say: other names of a provider, and discounts that hold for all its models.
 * A tier that is not named here or by the model has no known price. Priority tiers are priced per model, so they are
 * left to overrides.
 *
 * Sources, from general knowledge of the vendors' price pages, to be checked against them at each refresh:
 * openai.com/api/pricing (batch and flex at half), docs.claude.com pricing (batch at half, web fetch free),
 * ai.google.dev/pricing, docs.mistral.ai and console.groq.com (batch at half; flex at the standard price).
 */
export const KNOWN_PROVIDER_FACTS: Readonly<Record<string, Facts>> = {
  openai: { multipliers: { batch: '0.5', flex: '0.5' } },
  azure: { aliases: ['azure-openai', 'azure-ai'], multipliers: { batch: '0.5' } },
  anthropic: { multipliers: { batch: '0.5' }, units: { webFetch: '0' } },
  google: {
    aliases: ['gemini', 'vertex', 'google-vertex', 'vertex-ai', 'google-ai', 'google-genai'],
    multipliers: { batch: '0.5' },
  },
  aws: { aliases: ['bedrock', 'aws-bedrock', 'amazon-bedrock'], multipliers: { batch: '0.5' } },
  mistral: { aliases: ['mistralai'], multipliers: { batch: '0.5' } },
  groq: { multipliers: { batch: '0.5', flex: '1' } },
  'x-ai': { aliases: ['xai', 'grok'] },
  moonshotai: { aliases: ['moonshot', 'kimi'] },
  zhipuai: { aliases: ['zhipu', 'bigmodel'] },
  together: { aliases: ['together-ai', 'togetherai'] },
  fireworks: { aliases: ['fireworks-ai'] },
  voyageai: { aliases: ['voyage', 'voyage-ai'] },
};
