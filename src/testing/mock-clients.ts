import type { Anthropic, OpenAI } from './sdk-types.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { GatewayError } from '../core/errors.ts';
import { answerHttp } from './http/answer.ts';
import { bodyOf } from './http/request.ts';
import { createThreads } from './http/threads.ts';
import type { Script } from './script/script.ts';
import { playFetch } from './wire/play-fetch.ts';

/** A `fetch` that plays a script in the protocols of both vendors. */
export function mockFetch(script: Script, models: readonly string[], clock: Clock = systemClock): typeof fetch {
  const mock = { script, models, threads: createThreads(), now: () => clock.now() };
  return async (input, init) => {
    const request = new Request(input as string, { ...init, signal: null } as RequestInit);
    const url = new URL(request.url);
    const plan = await answerHttp(mock, {
      method: request.method,
      path: url.pathname + url.search,
      headers: Object.fromEntries(request.headers),
      body: bodyOf(await request.text()),
      closedEarly: false,
    });
    return playFetch(plan, { clock, signal: init?.signal ?? undefined });
  };
}

/** Options for the client, beside its `fetch`. */
export type ClientOptions = Readonly<Record<string, unknown>>;

export async function mockOpenAi(fetch: typeof globalThis.fetch, options: ClientOptions = {}): Promise<OpenAI> {
  try {
    const { OpenAI } = await import('openai');
    return new OpenAI({ apiKey: 'sk-mock', baseURL: 'https://mock.invalid/v1', maxRetries: 0, ...options, fetch });
  } catch (cause) {
    throw missing('openai', cause);
  }
}

export async function mockAnthropic(fetch: typeof globalThis.fetch, options: ClientOptions = {}): Promise<Anthropic> {
  try {
    const { Anthropic } = await import('@anthropic-ai/sdk');
    return new Anthropic({ apiKey: 'sk-ant-mock', baseURL: 'https://mock.invalid', maxRetries: 0, ...options, fetch });
  } catch (cause) {
    throw missing('@anthropic-ai/sdk', cause);
  }
}

function missing(name: string, cause: unknown): GatewayError {
  return new GatewayError('unsupported', `The package ${name} is needed for this client: npm install ${name}.`, {
    cause,
  });
}
