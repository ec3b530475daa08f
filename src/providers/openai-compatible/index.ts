import { type ApiKey, resolveKey } from '../../core/credentials.ts';
import { invalidOptions } from '../../core/errors.ts';
import { chatHandler, embedHandler, type Endpoint } from '../../core/exchange.ts';
import { lazyHandler } from '../../core/lazy-handler.ts';
import { forwarder } from '../../core/forward.ts';
import { aBoolean, aFunction, aList, aText, anObject, anything, checkOptions, oneOf } from '../../core/options.ts';
import { defineProvider, type Provider } from '../../core/provider.ts';
import { type SdkClient, sdkTransport } from '../../core/sdk-transport.ts';
import { CHOICE_RULES, choicesOf, type TargetChoices, targetTransport } from '../../core/target-transport.ts';
import { type FetchLike, fetchTransport, type Transport } from '../../core/transport.ts';
import { translator } from '../../core/translation.ts';
import type { OpenAiChatQuirks } from '../../dialects/openai-chat/quirks.ts';
import { didYouMean } from '../../operations/problem.ts';
import { type CompatibleEndpoint, ENDPOINTS } from './endpoints.ts';
import { loadSdk } from './sdk.ts';

export interface OpenAiCompatibleOptions extends TargetChoices {
  /** A known endpoint (`groq`, `mistral`, `deepseek`, `ollama`, …) or a name of your own with `baseURL`. */
  readonly name: string;
  /** Which known endpoint it is, when `name` is your own. @defaultValue `name` */
  readonly endpoint?: string;
  /** @defaultValue the known endpoint's */
  readonly baseURL?: string;
  /** @defaultValue the environment variable of the known endpoint */
  readonly apiKey?: ApiKey;
  /** Over plain `fetch` (no SDK), or over the openai SDK. @defaultValue 'sdk' */
  readonly transport?: 'sdk' | 'fetch';
  readonly fetch?: FetchLike;
  readonly defaultHeaders?: Readonly<Record<string, string>>;
  /** What this server does differently, on top of what is known. */
  readonly quirks?: OpenAiChatQuirks;
  /** Whether it has `/embeddings`. @defaultValue the known endpoint's, else true */
  readonly embeddings?: boolean;
  /** Models it is known to serve, for bare model names. */
  readonly models?: readonly string[];
}

/**
 * Any server that speaks OpenAI Chat Completions: known ones by name, others by URL.
 *
 * @example
 * createGateway({ providers: [openaiCompatible({ name: 'groq' }), openaiCompatible({ name: 'local', baseURL: 'http://127.0.0.1:8000/v1' })] })
 */
export function openaiCompatible<const Name extends string>(
  options: OpenAiCompatibleOptions & { readonly name: Name },
): Provider<NoInfer<Name>> {
  checkOptions('openaiCompatible', options ?? {}, {
    name: aText,
    endpoint: aText,
    baseURL: aText,
    apiKey: anything,
    transport: oneOf('sdk', 'fetch'),
    fetch: aFunction,
    defaultHeaders: anObject,
    quirks: anObject,
    embeddings: aBoolean,
    models: aList,
    ...CHOICE_RULES,
  });
  const { name } = options;
  if (name === undefined)
    throw invalidOptions(
      'openaiCompatible.name',
      `expected a name; known endpoints: ${Object.keys(ENDPOINTS).join(', ')}.`,
    );
  const known = knownEndpoint(options);
  const choices = choicesOf('openaiCompatible', options, known.baseURL);
  const transport = targetTransport(name, options, (own) => transportOf(own, knownEndpoint(own)));
  const quirks = { ...known.quirks, ...options.quirks };
  const endpoint = async (): Promise<Endpoint> => {
    const { openaiChat } = await import('../../dialects/openai-chat/index.ts');
    return { dialect: openaiChat, transport, quirks: quirks as Readonly<Record<string, unknown>> };
  };
  const { models } = options;
  return defineProvider({
    name,
    protocols: ['openai-chat'],
    handlers: {
      chat: lazyHandler<'chat'>(async () => chatHandler(await endpoint())),
      ...((options.embeddings ?? known.embeddings ?? ENDPOINTS[options.endpoint ?? name] === undefined) && {
        embed: lazyHandler<'embed'>(async () => embedHandler(await endpoint())),
      }),
    },
    forward: forwarder(transport),
    translate: translator(endpoint),
    ...choices,
    ...(models !== undefined && { models: () => models }),
  });
}

function knownEndpoint(options: OpenAiCompatibleOptions): CompatibleEndpoint {
  const wanted = options.endpoint ?? options.name;
  const known = ENDPOINTS[wanted];
  if (known !== undefined) return options.baseURL === undefined ? known : { ...known, baseURL: options.baseURL };
  if (options.baseURL !== undefined && options.endpoint === undefined) {
    return { baseURL: options.baseURL, quirks: { maxTokensField: 'max_tokens', developerRole: false } };
  }
  const field = options.endpoint === undefined ? 'baseURL' : 'endpoint';
  throw invalidOptions(
    `openaiCompatible.${field}`,
    `${wanted} is no known endpoint; give its baseURL.${didYouMean(wanted, Object.keys(ENDPOINTS))}`,
  );
}

function transportOf(options: OpenAiCompatibleOptions, known: CompatibleEndpoint): Transport {
  const { name, defaultHeaders, fetch } = options;
  const headers = { ...known.headers, ...defaultHeaders };
  const needsKey = options.apiKey !== undefined || known.keyVariable !== undefined;
  let last: string | undefined;
  const keyOf = (): string | Promise<string> => resolveKey(name, options.apiKey, known.keyVariable ?? 'apiKey');
  if (options.transport === 'fetch') {
    const withKey = (key: string): Record<string, string> => {
      last = key;
      return { authorization: `Bearer ${key}`, ...headers };
    };
    return fetchTransport({
      baseURL: known.baseURL,
      headers() {
        if (!needsKey) return headers;
        const key = keyOf();
        return typeof key === 'string' ? withKey(key) : key.then(withKey);
      },
      secrets: () => (last === undefined ? [] : [last]),
      ...(fetch !== undefined && { fetch }),
    });
  }
  return sdkTransport({
    async client() {
      const OpenAI = await loadSdk();
      // The SDK wants a key even where the server does not.
      const key = !needsKey ? 'none' : typeof options.apiKey === 'function' ? options.apiKey : await keyOf();
      return new OpenAI({
        apiKey: key,
        baseURL: known.baseURL,
        // Of another vendor: OpenAI's own variables are not for it.
        organization: null,
        project: null,
        maxRetries: 0,
        defaultHeaders: headers,
        ...(fetch !== undefined && { fetch }),
      });
    },
    secrets(client: SdkClient) {
      const key: unknown = Reflect.get(client, 'apiKey');
      return typeof key === 'string' && key !== 'none' ? [key] : [];
    },
  });
}
