import { createGateway, type Gateway, type Middleware } from 'postern';
import { anthropic } from 'postern/providers/anthropic';
import { openai } from 'postern/providers/openai';
import { MESSAGES, upstream } from './upstream.ts';

/** One way to make the same call. */
export interface Subject {
  readonly name: string;
  readonly call: () => Promise<unknown>;
  /** Reads a whole stream and gives the number of text pieces. */
  readonly stream?: () => Promise<number>;
}

const KEY = 'sk-bench-0123456789';

function gateway(transport: 'fetch' | 'sdk', use?: readonly Middleware[]): Gateway {
  const fetch = upstream() as never;
  return createGateway({
    providers: [openai({ transport, api: 'chat', apiKey: KEY, fetch }), anthropic({ transport, apiKey: KEY, fetch })],
    models: { default: 'openai/gpt-test', claude: 'anthropic/claude-test' },
    ...(use !== undefined && { use }),
  });
}

async function count(pieces: AsyncIterable<unknown>): Promise<number> {
  let seen = 0;
  for await (const _piece of pieces) seen++;
  return seen;
}

/** All eight of the budget: metering, redaction, a cache that misses, retry, route, breaker, timeout, telemetry. */
async function eight(): Promise<Middleware[] | undefined> {
  const load = async (path: string): Promise<Record<string, (options?: object) => Middleware>> =>
    import(`postern/middleware/${path}`);
  try {
    const [meter, redact, cache, retry, route, breaker, timeout, telemetry] = await Promise.all(
      ['meter', 'redact', 'cache', 'retry', 'route', 'circuit-breaker', 'timeout', 'telemetry'].map(load),
    );
    const make = (
      module: Record<string, (options?: object) => Middleware> = {},
      name: string,
      options?: object,
    ): Middleware => (module[name] as (options?: object) => Middleware)(options);
    return [
      make(telemetry, 'telemetry'),
      make(meter, 'meter', { sink: () => undefined }),
      make(redact, 'redact'),
      make(cache, 'cache'),
      make(retry, 'retry'),
      make(route, 'route'),
      make(breaker, 'circuitBreaker'),
      make(timeout, 'timeout'),
    ];
  } catch (error) {
    console.log(`(the stack of eight is left out: ${(error as Error).message})`);
    return undefined;
  }
}

const ask = (gw: Gateway): Pick<Subject, 'call' | 'stream'> => {
  // A cache must miss: every request differs by its number.
  let number = 0;
  const request = (): { messages: never } => ({
    messages: [...MESSAGES, { role: 'user', content: `Question ${number++}` }] as never,
  });
  return {
    call: async () => (await gw.chat(request())).text,
    stream: () => count(gw.stream(request()).text),
  };
};

/** Every subject, Postern's and the peers that are installed. */
export async function subjects(): Promise<Subject[]> {
  const fetch = upstream();
  const { OpenAI } = await import('openai');
  const { Anthropic } = await import('@anthropic-ai/sdk');
  const client = new OpenAI({ apiKey: KEY, fetch, maxRetries: 0 });
  const claude = new Anthropic({ apiKey: KEY, fetch, maxRetries: 0, openTelemetry: false } as never);
  const stack = await eight();
  const wrapped = createGateway().wrap?.(new OpenAI({ apiKey: KEY, fetch, maxRetries: 0 }));
  const list: Subject[] = [
    { name: 'raw fetch', call: rawCall(fetch), stream: rawStream(fetch) },
    { name: 'postern, plain fetch, bare', ...ask(gateway('fetch', [])) },
    { name: 'postern, plain fetch, standard', ...ask(gateway('fetch')) },
    ...(stack === undefined ? [] : [{ name: 'postern, plain fetch, eight', ...ask(gateway('fetch', stack)) }]),
    { name: 'postern, SDK, standard', ...ask(gateway('sdk')) },
    ...(stack === undefined ? [] : [{ name: 'postern, SDK, eight', ...ask(gateway('sdk', await eight())) }]),
    {
      name: 'openai SDK',
      call: () => client.chat.completions.create({ model: 'gpt-test', messages: MESSAGES }),
      stream: async () =>
        count(await client.chat.completions.create({ model: 'gpt-test', messages: MESSAGES, stream: true })),
    },
    ...(wrapped === undefined
      ? []
      : [
          {
            name: 'openai SDK, wrapped by postern',
            call: () => wrapped.chat.completions.create({ model: 'gpt-test', messages: MESSAGES }),
            stream: async () =>
              count(await wrapped.chat.completions.create({ model: 'gpt-test', messages: MESSAGES, stream: true })),
          },
        ]),
    {
      name: 'anthropic SDK',
      call: () =>
        claude.messages.create({ model: 'claude-test', max_tokens: 100, messages: MESSAGES.slice(1) as never }),
    },
  ];
  return [...list, ...(await peers(fetch))];
}

/** LangSmith's wrapper around the same client, tracing into a network that answers at once. */
async function langSmith(fetch: typeof globalThis.fetch): Promise<Subject[]> {
  const { OpenAI } = await import('openai');
  const [{ wrapOpenAI }, { Client }] = await Promise.all([import('langsmith/wrappers'), import('langsmith')]);
  const accepted: typeof fetch = async () => new Response('{}', { status: 202 });
  const tracer = new Client({ apiUrl: 'https://tracing.invalid', apiKey: KEY, fetchImplementation: accepted });
  const client = wrapOpenAI(new OpenAI({ apiKey: KEY, fetch, maxRetries: 0 }), {
    client: tracer,
    tracingEnabled: true,
  });
  return [
    {
      name: 'openai SDK, wrapped by LangSmith',
      call: () => client.chat.completions.create({ model: 'gpt-test', messages: MESSAGES }),
      stream: async () =>
        count(await client.chat.completions.create({ model: 'gpt-test', messages: MESSAGES, stream: true })),
    },
  ];
}

async function peers(fetch: typeof globalThis.fetch): Promise<Subject[]> {
  const found: Subject[] = [];
  try {
    found.push(...(await langSmith(fetch)));
  } catch {
    console.log("(LangSmith's wrapper is not installed)");
  }
  try {
    const [{ generateText, streamText }, { createOpenAI }] = await Promise.all([
      import('ai'),
      import('@ai-sdk/openai'),
    ]);
    const model = createOpenAI({ apiKey: KEY, fetch }).chat('gpt-test');
    const messages = MESSAGES.slice(1) as never;
    const instructions = MESSAGES[0]?.content as string;
    found.push({
      name: 'AI SDK',
      call: () => generateText({ model, messages, instructions, maxRetries: 0 }),
      stream: () => count(streamText({ model, messages, instructions, maxRetries: 0 }).textStream),
    });
  } catch {
    console.log('(AI SDK is not installed)');
  }
  try {
    const { ChatOpenAI } = await import('@langchain/openai');
    const model = new ChatOpenAI({ apiKey: KEY, model: 'gpt-test', maxRetries: 0, configuration: { fetch } });
    const messages = MESSAGES.map(({ role, content }) => [
      role === 'user' ? 'human' : role === 'assistant' ? 'ai' : role,
      content,
    ]) as never;
    found.push({
      name: 'LangChain',
      call: () => model.invoke(messages),
      stream: async () => count(await model.stream(messages)),
    });
  } catch {
    console.log('(LangChain is not installed)');
  }
  return found;
}

function rawCall(fetch: typeof globalThis.fetch): () => Promise<unknown> {
  return async () => {
    const body = JSON.stringify({ model: 'gpt-test', messages: MESSAGES });
    const response = await fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body });
    const json = (await response.json()) as { choices: { message: { content: string } }[] };
    return json.choices[0]?.message.content;
  };
}

function rawStream(fetch: typeof globalThis.fetch): () => Promise<number> {
  return async () => {
    const body = JSON.stringify({ model: 'gpt-test', messages: MESSAGES, stream: true });
    const response = await fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    let rest = '';
    let seen = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return seen;
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop() as string;
      for (const line of lines) {
        if (!line.startsWith('data: {')) continue;
        const event = JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[] };
        if (event.choices[0]?.delta.content) seen++;
      }
    }
  };
}
