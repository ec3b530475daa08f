import { type ApiKey, resolveKey } from '../../core/credentials.ts';
import { chatHandler, embedHandler } from '../../core/exchange.ts';
import { lazyHandler } from '../../core/lazy-handler.ts';
import type { Dialect } from '../../core/dialect.ts';
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

export interface OpenAiOptions extends TargetChoices {
  /** Name in `provider/model`. @defaultValue 'openai' */
  readonly name?: string;
  /** Which protocol chat goes over. @defaultValue 'responses' */
  readonly api?: 'responses' | 'chat';
  /** An existing client of the openai SDK (or AzureOpenAI, …). Its key, URL, fetch and headers are kept. */
  readonly client?: unknown;
  /** `fetch` needs no SDK. @defaultValue 'sdk' */
  readonly transport?: 'sdk' | 'fetch';
  /** @defaultValue the environment variable OPENAI_API_KEY */
  readonly apiKey?: ApiKey;
  /** @defaultValue OPENAI_BASE_URL, else https://api.openai.com/v1 */
  readonly baseURL?: string;
  /** @defaultValue OPENAI_ORG_ID */
  readonly organization?: string;
  /** @defaultValue OPENAI_PROJECT_ID */
  readonly project?: string;
  readonly fetch?: FetchLike;
  readonly defaultHeaders?: Readonly<Record<string, string>>;
  /** Models it is known to serve, for bare model names. */
  readonly models?: readonly string[];
  /** Anything else the SDK's constructor takes, like `dangerouslyAllowBrowser`. */
  readonly sdk?: Readonly<Record<string, unknown>>;
}

const RULES = {
  name: aText,
  api: oneOf('responses', 'chat'),
  client: anObject,
  transport: oneOf('sdk', 'fetch'),
  apiKey: anything,
  baseURL: aText,
  organization: aText,
  project: aText,
  fetch: aFunction,
  defaultHeaders: anObject,
  models: aList,
  sdk: anObject,
  ...CHOICE_RULES,
};
/** Source: the openai SDK 7.57, read 2026-11-22. */
const BASE_URL = 'https://api.openai.com/v1';

/**
 * OpenAI as a provider: chat over Responses (or Chat Completions) and embeddings.
 *
 * @example
 * createGateway({ providers: [openai()], models: { default: 'openai/gpt-5-mini' } })
 */
export function openai<const Name extends string = 'openai'>(
  options: OpenAiOptions & { readonly name?: Name } = {},
): Provider<NoInfer<Name>> {
  checkOptions('openai', options, RULES);
  // Without a name of its own, `Name` is the default. It is not inferred from where the provider goes: any name would fit.
  const name = options.name ?? ('openai' as Name);
  const choices = choicesOf('openai', options, BASE_URL, environment()['OPENAI_BASE_URL']);
  const transport = targetTransport(name, options, (own) => transportOf(name, own));
  const overChat = lazyHandler<'chat'>(async () => chatHandler({ dialect: await chatDialect(), transport }));
  const overResponses = lazyHandler<'chat'>(async () => chatHandler({ dialect: await responsesDialect(), transport }));
  const { models, api } = options;
  return defineProvider({
    name,
    protocols: ['openai-chat', 'openai-responses'],
    handlers: {
      // A door's call keeps the protocol it came in, so that its bytes can pass.
      chat(call) {
        const protocol = call.wire?.protocol;
        if (protocol === 'openai-chat') return overChat(call);
        return protocol !== 'openai-responses' && api === 'chat' ? overChat(call) : overResponses(call);
      },
      embed: lazyHandler<'embed'>(async () => embedHandler({ dialect: await chatDialect(), transport })),
    },
    forward: forwarder(transport),
    translate: translator(async (call) => {
      const protocol = call.wire?.protocol ?? (api === 'chat' ? 'openai-chat' : 'openai-responses');
      const chat = protocol === 'openai-chat' || call.operation === 'embed';
      return { dialect: await (chat ? chatDialect() : responsesDialect()), transport };
    }),
    ...choices,
    ...(models !== undefined && { models: () => models }),
  });
}

const chatDialect = async (): Promise<Dialect> => (await import('../../dialects/openai-chat/index.ts')).openaiChat;
const responsesDialect = async (): Promise<Dialect> =>
  (await import('../../dialects/openai-responses/index.ts')).openaiResponses;

function transportOf(name: string, options: OpenAiOptions): Transport {
  const client = givenClient('openai', 'openai', 'OpenAI', options);
  if (client !== undefined) return sdkTransport({ client: () => client, secrets: secretsOf });
  if (options.transport === 'fetch') return overFetch(name, options);
  return sdkTransport({ client: () => newClient(name, options), secrets: secretsOf });
}

function overFetch(name: string, options: OpenAiOptions): Transport {
  const variables = environment();
  const organization = options.organization ?? variables['OPENAI_ORG_ID'];
  const project = options.project ?? variables['OPENAI_PROJECT_ID'];
  let last: string | undefined;
  const headersOf = (key: string): Record<string, string> => {
    last = key;
    return {
      authorization: `Bearer ${key}`,
      ...(organization !== undefined && { 'openai-organization': organization }),
      ...(project !== undefined && { 'openai-project': project }),
      ...options.defaultHeaders,
    };
  };
  return fetchTransport({
    baseURL: options.baseURL ?? variables['OPENAI_BASE_URL'] ?? BASE_URL,
    headers() {
      const key = resolveKey(name, options.apiKey, 'OPENAI_API_KEY');
      return typeof key === 'string' ? headersOf(key) : key.then(headersOf);
    },
    secrets: () => (last === undefined ? [] : [last]),
    ...(options.fetch !== undefined && { fetch: options.fetch }),
  });
}

async function newClient(name: string, options: OpenAiOptions): Promise<SdkClient> {
  const OpenAI = await loadSdk();
  const key =
    typeof options.apiKey === 'function' ? options.apiKey : await resolveKey(name, options.apiKey, 'OPENAI_API_KEY');
  const { baseURL, organization, project, fetch, defaultHeaders, sdk } = options;
  return new OpenAI({
    ...sdk,
    apiKey: key,
    maxRetries: 0,
    ...(baseURL !== undefined && { baseURL }),
    ...(organization !== undefined && { organization }),
    ...(project !== undefined && { project }),
    ...(fetch !== undefined && { fetch }),
    ...(defaultHeaders !== undefined && { defaultHeaders }),
  });
}

function secretsOf(client: SdkClient): readonly string[] {
  const key: unknown = Reflect.get(client, 'apiKey');
  return typeof key === 'string' ? [key] : [];
}
