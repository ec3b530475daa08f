import type { Anthropic } from '@anthropic-ai/sdk';
import * as anthropicSdk from '@anthropic-ai/sdk';
import type { OpenAI } from 'openai';
import * as openAiSdk from 'openai';
import { describe, expect, it } from 'vitest';
import { createGateway, GatewayError, type Middleware, standard } from '../../src/index.ts';
import { timeout } from '../../src/middleware/index.ts';
import { fakeClock, mockProvider, type MockProvider } from '../../src/testing/index.ts';
import type { FaultRow } from '../../src/testing/matrix/row.ts';
import { faultRows } from '../../src/testing/matrix/rows.ts';
import { size } from '../size.ts';

const TEXT = 'one two three four';
const messages = [{ role: 'user' as const, content: 'x' }];

/** How an application of each protocol asks and reads. */
interface App {
  client(mock: MockProvider, maxRetries: number): Promise<object>;
  plain(client: object): Promise<string>;
  stream(client: object): Promise<string>;
  readonly errors: { readonly APIError: new (...args: never[]) => Error };
}
const APPS: Readonly<Record<string, App>> = {
  'openai-chat': {
    client: (mock, maxRetries) => mock.openai({ maxRetries }),
    async plain(client) {
      const answer = await (client as OpenAI).chat.completions.create({ model: 'm', messages });
      return answer.choices[0]?.message.content ?? '';
    },
    async stream(client) {
      let text = '';
      const stream = await (client as OpenAI).chat.completions.create({ model: 'm', messages, stream: true });
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      return text;
    },
    errors: openAiSdk,
  },
  'openai-responses': {
    client: (mock, maxRetries) => mock.openai({ maxRetries }),
    plain: async (client) => (await (client as OpenAI).responses.create({ model: 'm', input: 'x' })).output_text ?? '',
    async stream(client) {
      let text = '';
      const stream = await (client as OpenAI).responses.create({ model: 'm', input: 'x', stream: true });
      for await (const event of stream) if (event.type === 'response.output_text.delta') text += event.delta;
      return text;
    },
    errors: openAiSdk,
  },
  'anthropic-messages': {
    client: (mock, maxRetries) => mock.anthropic({ maxRetries }),
    async plain(client) {
      const { content } = await (client as Anthropic).messages.create({ model: 'm', max_tokens: 9, messages });
      return (content ?? []).map((block) => (block.type === 'text' ? block.text : '')).join('');
    },
    async stream(client) {
      let text = '';
      const asked = { model: 'm', max_tokens: 9, messages, stream: true } as const;
      for await (const event of await (client as Anthropic).messages.create(asked)) {
        if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text;
      }
      return text;
    },
    errors: anthropicSdk,
  },
};

interface Outcome {
  readonly text?: string;
  readonly error?: Error & { readonly status?: number };
  readonly hits: number;
}

async function run(app: App, row: FaultRow, use: readonly Middleware[] | undefined, maxRetries = 0): Promise<Outcome> {
  const clock = fakeClock();
  const mock = mockProvider({ clock });
  const script = mock.otherwise;
  if (row.answer === 'text') script.reply(TEXT);
  else script.callTool('find', { query: 'a b c' }).callTool('find', { query: 'd e f' });
  script.fault(...row.faults);
  const bare = await app.client(mock, maxRetries);
  const gateway = createGateway({ clock, random: () => 0.5, ...(use !== undefined && { use }) });
  const client = use === undefined ? bare : gateway.wrap(bare);
  try {
    const text = await clock.settled(app[row.mode](client), { graceMs: 2_000 });
    return { text, hits: mock.calls.length };
  } catch (error) {
    return { error: error as Error, hits: mock.calls.length };
  } finally {
    await gateway.close();
  }
}

const clocks = (row: FaultRow): Middleware =>
  timeout({ connectMs: 2_000, firstContentMs: 3_000, idleMs: 4_000, attemptMs: row.mode === 'plain' ? 5_000 : 0 });

function isApiError(app: App, error: Error | undefined): boolean {
  return error instanceof app.errors.APIError;
}

/**
 * Failures an application hears of without a throw: an answer without content is handed on as it came, and the Responses
 * API's SDK gives `response.failed` to the reader of the events.
 */
function isToldOtherwise(app: App, row: FaultRow): boolean {
  return row.id.startsWith('empty ') || (app === APPS['openai-responses'] && /^error-\S+ .* stream$/.test(row.id));
}

/** Anthropic's SDK makes its timeout error anew, without a cause to find ours by. */
function hidesItsCause(app: App, error: Error): boolean {
  return app === APPS['anthropic-messages'] && error.constructor.name === 'APIConnectionTimeoutError';
}

/** What is wrong with an outcome, beside what the same client says unwrapped; empty if nothing is. */
function problems(app: App, row: FaultRow, seen: Outcome, bare: Outcome | undefined): string[] {
  const found: string[] = [];
  const { code, committed } = row.verdict;
  if (seen.hits !== 1) found.push(`${seen.hits} hits`);
  if (code === undefined) {
    // A break after the last word is an error to some SDKs bare; wrapped it is what it is, an answer.
    const said = bare?.text ?? (row.answer === 'text' ? TEXT : '');
    return seen.text === said ? found : [...found, `answers ${seen.text ?? String(seen.error)}`];
  }
  const { error } = seen;
  if (error === undefined)
    return isToldOtherwise(app, row) && seen.text === bare?.text ? found : [...found, 'succeeds'];
  // Bytes that are no JSON, and a connection that breaks, do to the SDK what they do to it bare.
  if (committed === true && !isApiError(app, bare?.error) && error.constructor === bare?.error?.constructor)
    return found;
  if (!isApiError(app, error)) found.push(`throws ${error.constructor.name}, which is no class of the SDK`);
  const ours = GatewayError.from(error)?.code;
  if (ours !== code && !hidesItsCause(app, error)) found.push(`GatewayError.from finds ${ours}`);
  const status = bare?.error?.status;
  const redirected = status !== undefined && status < 400;
  if (
    status !== undefined &&
    !redirected &&
    (error.status !== status || error.constructor !== bare?.error?.constructor)
  ) {
    found.push(`is ${error.constructor.name} ${error.status}, bare ${bare?.error?.constructor.name} ${status}`);
  }
  if (
    status === undefined &&
    code === 'connection' &&
    committed !== true &&
    error.constructor.name !== 'APIConnectionError'
  )
    found.push(`a connection is ${error.constructor.name}`);
  if (
    status === undefined &&
    code === 'timeout' &&
    committed !== true &&
    error.constructor.name !== 'APIConnectionTimeoutError'
  )
    found.push(`a timeout is ${error.constructor.name}`);
  return found;
}

describe('the failure matrix through a wrapped client (rows 1 to 29, 34, 35)', () => {
  const rows = faultRows();
  for (const [protocol, app] of Object.entries(APPS)) {
    it(`${protocol}: each of ${rows.length} rows is the SDK’s own class, after one request`, async () => {
      const wrong: string[] = [];
      for (const row of rows) {
        // A bare client waits for its own ten minutes where nothing comes.
        const bare = row.waits === true ? undefined : await run(app, row, undefined);
        const found = problems(app, row, await run(app, row, [clocks(row)]), bare);
        if (found.length > 0) wrong.push(`${row.id}: ${found.join('; ')}`);
      }
      expect(wrong).toEqual([]);
    });

    it(`${protocol}: with retries on both sides no row makes more requests than the SDK alone would`, async () => {
      const chosen = rows.filter((_row, index) => index % size(4, 1) === 0);
      const wrong: string[] = [];
      for (const row of chosen) {
        const { hits } = await run(app, row, standard(), 2);
        if (hits > 3) wrong.push(`${row.id}: ${hits} requests`);
      }
      expect(wrong).toEqual([]);
    });
  }
});
