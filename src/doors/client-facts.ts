import { invalidOptions } from '../core/errors.ts';
import type { Protocol } from '../operations/shared.ts';
import type { FetchFunction } from './inbound.ts';

/** What a wrap has to know about a client. Read once, from the fields the SDKs have kept for several major versions. */
export interface ClientFacts {
  readonly vendor: string;
  readonly protocols: readonly Protocol[];
  /** The client's own, not the global one: proxies and test doubles live there. */
  readonly fetch: FetchFunction;
  /** Present where the SDK's middleware is the right seam. */
  readonly middleware?: readonly unknown[];
  readonly maxRetries?: number;
  readonly timeoutMs?: number;
  readonly signed: boolean;
  secrets(): readonly string[];
}

/** Source: openai 6.49 and 7.57, @anthropic-ai/sdk 0.137 and 1.12; read 2026-11-22. */
export function clientFacts(client: object): ClientFacts {
  const isOpenAi = hasObject(client, 'chat') && hasObject(client, 'models');
  if (!isOpenAi && !hasObject(client, 'messages')) {
    throw invalidOptions('client', 'expected a client of the openai or @anthropic-ai/sdk package, like new OpenAI().');
  }
  if (usesX509(client)) {
    throw invalidOptions(
      'client',
      'this client authenticates with an X.509 certificate, and its SDK then allows no custom fetch; wrap one with a key.',
    );
  }
  const adapted = !isOpenAi && backendMiddleware(client).length > 0;
  const given: unknown = Reflect.get(client, 'fetch');
  const maxRetries: unknown = Reflect.get(client, 'maxRetries');
  const timeout: unknown = Reflect.get(client, 'timeout');
  const middleware: unknown = Reflect.get(client, 'middleware');
  return {
    vendor: isOpenAi ? openAiVendor(client) : anthropicVendor(client),
    protocols: isOpenAi ? ['openai-chat', 'openai-responses'] : ['anthropic-messages'],
    fetch: typeof given === 'function' ? (given as FetchFunction) : (url, init) => globalThis.fetch(url, init),
    ...(adapted && Array.isArray(middleware) && { middleware }),
    ...(typeof maxRetries === 'number' && { maxRetries }),
    ...(typeof timeout === 'number' && { timeoutMs: timeout }),
    signed: isOpenAi ? signsOpenAi(client) : !adapted && isAnthropicCloud(client),
    secrets: () =>
      ['apiKey', 'authToken', 'adminAPIKey'].flatMap((name) => {
        const value: unknown = Reflect.get(client, name);
        return typeof value === 'string' && value !== '' ? [value] : [];
      }),
  };
}

function hasObject(client: object, name: string): boolean {
  const value: unknown = Reflect.get(client, name);
  return typeof value === 'object' && value !== null;
}

function usesX509(client: object): boolean {
  const options: unknown = Reflect.get(client, '_options');
  if (!(options instanceof Object)) return false;
  return ['x509Transport', 'credential'].some((name) => (Reflect.get(options, name) ?? undefined) !== undefined);
}

/** A provider runtime of the openai SDK that has its own say on each request, such as SigV4. */
function signsOpenAi(client: object): boolean {
  const provider: unknown = Reflect.get(client, '_provider');
  return provider instanceof Object && typeof Reflect.get(provider, 'prepareRequest') === 'function';
}

/** What adapts Anthropic's words to another backend, in SDK versions that have such a thing. */
function backendMiddleware(client: object): readonly unknown[] {
  const adapt: unknown = Reflect.get(client, 'backendMiddleware');
  if (typeof adapt !== 'function') return [];
  const found: unknown = Reflect.apply(adapt, client, []);
  return Array.isArray(found) ? found : [];
}

/** An Anthropic client of another cloud: its SDK rewrites and signs before `fetch` unless middleware does it. */
function isAnthropicCloud(client: object): boolean {
  return 'awsRegion' in client || 'awsSecretKey' in client || ('region' in client && 'projectId' in client);
}

function anthropicVendor(client: object): string {
  if ('awsRegion' in client) return 'bedrock';
  return 'region' in client && 'projectId' in client ? 'vertex' : 'anthropic';
}

/** Hosts that are no OpenAI: prices and limits follow the vendor's name. */
const HOSTS: readonly (readonly [host: RegExp, vendor: string])[] = [
  [/\.openai\.azure\.com$|\.cognitiveservices\.azure\.com$|\.services\.ai\.azure\.com$/, 'azure'],
  [/(^|\.)groq\.com$/, 'groq'],
  [/(^|\.)deepseek\.com$/, 'deepseek'],
  [/(^|\.)mistral\.ai$/, 'mistral'],
  [/(^|\.)openrouter\.ai$/, 'openrouter'],
  [/(^|\.)x\.ai$/, 'xai'],
  [/(^|\.)together\.(xyz|ai)$/, 'together'],
  [/(^|\.)fireworks\.ai$/, 'fireworks'],
  [/(^|\.)cerebras\.ai$/, 'cerebras'],
  [/(^|\.)perplexity\.ai$/, 'perplexity'],
];

function openAiVendor(client: object): string {
  if ('deploymentName' in client || 'apiVersion' in client) return 'azure';
  const baseURL: unknown = Reflect.get(client, 'baseURL');
  if (typeof baseURL !== 'string' || !URL.canParse(baseURL)) return 'openai';
  const { hostname } = new URL(baseURL);
  return HOSTS.find(([host]) => host.test(hostname))?.[1] ?? 'openai';
}
