import { type ApiKey, resolveKey } from '../../core/credentials.ts';
import { chatHandler, type Endpoint } from '../../core/exchange.ts';
import { lazyHandler } from '../../core/lazy-handler.ts';
import { forwarder } from '../../core/forward.ts';
import { aFunction, aList, aText, anObject, anything, checkOptions, oneOf } from '../../core/options.ts';
import { defineProvider, type Provider } from '../../core/provider.ts';
import { givenClient } from '../../core/sdk-client.ts';
import { type SdkClient, sdkTransport } from '../../core/sdk-transport.ts';
import { CHOICE_RULES, choicesOf, type TargetChoices, targetTransport } from '../../core/target-transport.ts';
import { type FetchLike, fetchTransport, type Transport } from '../../core/transport.ts';
import { translator } from '../../core/translation.ts';
import { environment } from '#platform';
import { loadSdk } from './sdk.ts';

export interface AnthropicOptions extends TargetChoices {
  /** Name in `provider/model`. @defaultValue 'anthropic' */
  readonly name?: string;
  /** An existing client: Anthropic, AnthropicBedrock, AnthropicVertex. Its credentials, URL, fetch and headers are kept. */
  readonly client?: unknown;
  /** `fetch` needs no SDK. @defaultValue 'sdk' */
  readonly transport?: 'sdk' | 'fetch';
  /** @defaultValue the environment variable ANTHROPIC_API_KEY */
  readonly apiKey?: ApiKey;
  /** @defaultValue ANTHROPIC_BASE_URL, else https://api.anthropic.com */
  readonly baseURL?: string;
  readonly fetch?: FetchLike;
  readonly defaultHeaders?: Readonly<Record<string, string>>;
  /** Models it is known to serve, for bare model names. */
  readonly models?: readonly string[];
  /** Anything else the SDK's constructor takes. */
  readonly sdk?: Readonly<Record<string, unknown>>;
}

const RULES = {
  name: aText,
  client: anObject,
  transport: oneOf('sdk', 'fetch'),
  apiKey: anything,
  baseURL: aText,
  fetch: aFunction,
  defaultHeaders: anObject,
  models: aList,
  sdk: anObject,
  ...CHOICE_RULES,
};
/** Source: @anthropic-ai/sdk 1.12, read 2026-11-22. */
const BASE_URL = 'https://api.anthropic.com';
/** What the SDK 1.x sends, read 2026-11-22. The dialect asks for the older one where sampling needs it. */
const API_VERSION = '2026-10-21';

/**
 * Anthropic as a provider: chat over the Messages API.
 *
 * @example
 * createGateway({ providers: [anthropic()], models: { default: 'anthropic/claude-sonnet-4-5' } })
 */
export function anthropic<const Name extends string = 'anthropic'>(
  options: AnthropicOptions & { readonly name?: Name } = {},
): Provider<NoInfer<Name>> {
  checkOptions('anthropic', options, RULES);
  // Without a name of its own, `Name` is the default. It is not inferred from where the provider goes: any name would fit.
  const name = options.name ?? ('anthropic' as Name);
  const choices = choicesOf('anthropic', options, BASE_URL, environment()['ANTHROPIC_BASE_URL']);
  const transport = targetTransport(name, options, (own) => transportOf(name, own));
  const endpoint = async (): Promise<Endpoint> => {
    const { anthropicMessages } = await import('../../dialects/anthropic-messages/index.ts');
    return { dialect: anthropicMessages, transport };
  };
  const chat = lazyHandler<'chat'>(async () => chatHandler(await endpoint()));
  const { models } = options;
  return defineProvider({
    name,
    protocols: ['anthropic-messages'],
    handlers: { chat },
    forward: forwarder(transport),
    translate: translator(endpoint),
    ...choices,
    ...(models !== undefined && { models: () => models }),
  });
}

function transportOf(name: string, options: AnthropicOptions): Transport {
  // The SDK would trace every call a second time.
  const overrides = { openTelemetry: false };
  const client = givenClient('anthropic', '@anthropic-ai/sdk', 'Anthropic', options);
  if (client !== undefined) return sdkTransport({ client: () => client, overrides, secrets: secretsOf });
  if (options.transport === 'fetch') return overFetch(name, options);
  return sdkTransport({ client: () => newClient(name, options), overrides, secrets: secretsOf });
}

function overFetch(name: string, options: AnthropicOptions): Transport {
  let last: string | undefined;
  const headersOf = (key: string): Record<string, string> => {
    last = key;
    return { authorization: `Bearer ${key}`, 'anthropic-version': API_VERSION, ...options.defaultHeaders };
  };
  return fetchTransport({
    baseURL: options.baseURL ?? environment()['ANTHROPIC_BASE_URL'] ?? BASE_URL,
    headers() {
      const key = resolveKey(name, options.apiKey, 'ANTHROPIC_API_KEY');
      return typeof key === 'string' ? headersOf(key) : key.then(headersOf);
    },
    secrets: () => (last === undefined ? [] : [last]),
    ...(options.fetch !== undefined && { fetch: options.fetch }),
  });
}

async function newClient(name: string, options: AnthropicOptions): Promise<SdkClient> {
  const Anthropic = await loadSdk();
  const key =
    typeof options.apiKey === 'function' ? options.apiKey : await resolveKey(name, options.apiKey, 'ANTHROPIC_API_KEY');
  const { baseURL, fetch, defaultHeaders, sdk } = options;
  return new Anthropic({
    ...sdk,
    apiKey: key,
    maxRetries: 0,
    ...(baseURL !== undefined && { baseURL }),
    ...(fetch !== undefined && { fetch }),
    ...(defaultHeaders !== undefined && { defaultHeaders }),
  });
}

function secretsOf(client: SdkClient): readonly string[] {
  return ['apiKey', 'authToken'].flatMap((name) => {
    const value: unknown = Reflect.get(client, name);
    return typeof value === 'string' ? [value] : [];
  });
}
