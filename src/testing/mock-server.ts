/// <reference lib="esnext.disposable" preserve="true" />
import { type Clock, systemClock } from '../core/clock.ts';
import { invalidOptions } from '../core/errors.ts';
import { aList, anObject, aText, checkOptions, wholeNumber } from '../core/options.ts';
import { answerHttp } from './http/answer.ts';
import type { MockRequest } from './http/request.ts';
import { serve } from './http/serve.ts';
import { createThreads } from './http/threads.ts';
import { type Mock, mockFace, type MockProvider, scriptOf } from './mock-provider.ts';
import { loadRecordings } from './recordings/load.ts';
import { serveRecordings } from './recordings/serve.ts';
import { Script } from './script/script.ts';

export interface MockServerOptions {
  /** Plays this mock's script, so that a provider and a server tell the same story. @defaultValue one of its own */
  readonly script?: MockProvider;
  /** Serves recorded traffic from this folder (with a `manifest.json`) instead of a script. */
  readonly recordings?: string;
  /** @defaultValue 0: any free port */
  readonly port?: number;
  /** Models it lists. @defaultValue 'mock-large', 'mock-small', 'mock-embedding' */
  readonly models?: readonly string[];
  /** What delays and drips wait on. @defaultValue the system's */
  readonly clock?: Clock;
  /** Seed of ids and of faults with a probability, if it has a script of its own. @defaultValue 1 */
  readonly seed?: number;
}

/** A server that speaks OpenAI's and Anthropic's protocols on the loopback interface. */
export interface MockServer extends Mock, AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** `baseURL` for OpenAI's SDK, and for whatever speaks its protocols. */
  readonly openaiURL: string;
  /** `baseURL` for Anthropic's SDK. */
  readonly anthropicURL: string;
  /** Requests that arrived. */
  readonly hits: number;
  /** Every request, in order, with its body. */
  readonly requests: readonly MockRequest[];
  /** Resolves when a client leaves in the middle of an answer. */
  closedEarly(): Promise<MockRequest>;
  close(): Promise<void>;
}

const MODELS = ['mock-large', 'mock-small', 'mock-embedding'];

/**
 * Starts a server on the loopback interface that plays a script in OpenAI's and Anthropic's protocols, so that any
 * SDK in any language can be tested.
 *
 * @example
 * const server = await mockServer();
 * server.on('capital of France').reply('Paris');
 * const client = new OpenAI({ baseURL: server.openaiURL, apiKey: 'any' });
 */
export async function mockServer(options: MockServerOptions = {}): Promise<MockServer> {
  checkOptions('mockServer', options, {
    script: anObject,
    recordings: aText,
    port: wholeNumber(0, 65_535),
    models: aList,
    clock: anObject,
    seed: wholeNumber(0),
  });
  const { clock = systemClock, models = MODELS, recordings } = options;
  const script = options.script === undefined ? new Script('mockServer', options.seed ?? 1) : scriptOf(options.script);
  if (recordings !== undefined && options.script !== undefined) {
    throw invalidOptions('mockServer.recordings', 'recordings and a script exclude each other; leave one of them out.');
  }
  const waiting: ((request: MockRequest) => void)[] = [];
  const recorded = recordings === undefined ? undefined : serveRecordings(await loadRecordings(recordings));
  const mock = { script, models, threads: createThreads(), now: () => clock.now() };
  const serving = await serve({
    port: options.port ?? 0,
    clock,
    answer: (request) => recorded?.(request) ?? answerHttp(mock, request),
    onClose: (request) => void waiting.splice(0).forEach((resolve) => resolve(request)),
  });
  const url = `http://127.0.0.1:${serving.port}`;
  const server = {
    url,
    port: serving.port,
    openaiURL: `${url}/v1`,
    anthropicURL: url,
    get hits() {
      return serving.requests.length;
    },
    requests: serving.requests,
    closedEarly: () => new Promise<MockRequest>((resolve) => void waiting.push(resolve)),
    close: serving.close,
    [Symbol.asyncDispose]: serving.close,
  };
  return Object.freeze(
    Object.defineProperties(
      {},
      { ...Object.getOwnPropertyDescriptors(mockFace(script)), ...Object.getOwnPropertyDescriptors(server) },
    ),
  ) as MockServer;
}
