import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { MESSAGES, upstream } from './upstream.ts';

/** Streams open at once, and the pieces each has given when memory is read. */
const STREAMS = 1_000;
const PIECES = 20;
const BUDGET_MB = 30;
const KEY = 'sk-bench-0123456789';

/** Opens one stream of text pieces over a `fetch`. */
type Open = (fetch: typeof globalThis.fetch) => Promise<() => AsyncIterable<unknown> | Promise<AsyncIterable<unknown>>>;
const SUBJECTS: Readonly<Record<string, Open>> = {
  'raw fetch': async (fetch) => () => rawPieces(fetch),
  'postern, plain fetch, standard': async (fetch) => {
    const { createGateway } = await import('postern');
    const { openai } = await import('postern/providers/openai');
    const provider = openai({ transport: 'fetch', api: 'chat', apiKey: KEY, fetch: fetch as never });
    const gateway = createGateway({ providers: [provider], models: { default: 'openai/gpt-test' } });
    return () => gateway.stream({ messages: MESSAGES }).text;
  },
  'openai SDK': async (fetch) => {
    const { OpenAI } = await import('openai');
    const client = new OpenAI({ apiKey: KEY, fetch, maxRetries: 0 });
    return () => client.chat.completions.create({ model: 'gpt-test', messages: MESSAGES, stream: true });
  },
  'AI SDK': async (fetch) => {
    const [{ streamText }, { createOpenAI }] = await Promise.all([import('ai'), import('@ai-sdk/openai')]);
    const model = createOpenAI({ apiKey: KEY, fetch }).chat('gpt-test');
    const [instructions, messages] = [MESSAGES[0]?.content as string, MESSAGES.slice(1) as never];
    return () => streamText({ model, messages, instructions, maxRetries: 0 }).textStream;
  },
};

async function* rawPieces(fetch: typeof globalThis.fetch): AsyncGenerator<string> {
  const body = JSON.stringify({ model: 'gpt-test', messages: MESSAGES, stream: true });
  const response = await fetch('https://api.openai.com/v1/chat/completions', { method: 'POST', body });
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of response.body as ReadableStream<Uint8Array>) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) {
      if (!line.startsWith('data: {')) continue;
      const event = JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[] };
      if (event.choices[0]?.delta.content !== undefined) yield event.choices[0].delta.content;
    }
  }
}

/** Memory in use after a collection, in bytes: the heap, and what hangs on it outside. */
function usedBytes(): number {
  for (let turn = 0; turn < 4; turn++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Opens the streams, reads some pieces of each, leaves all of them waiting for the next one, and weighs them. */
async function weigh(name: string): Promise<{ heldMb: number; rssMb: number }> {
  const open = await (SUBJECTS[name] as Open)(upstream(PIECES, true));
  const held: unknown[] = [];
  const start = async (): Promise<void> => {
    const iterator = (await open())[Symbol.asyncIterator]();
    for (let piece = 0; piece < PIECES; piece++) await iterator.next();
    held.push(iterator, iterator.next());
  };
  // What is loaded and compiled once is not a stream's.
  for (let warm = 0; warm < 20; warm++) await start();
  const [before, rssBefore] = [usedBytes(), process.memoryUsage().rss];
  await Promise.all(Array.from({ length: STREAMS }, start));
  const [after, rssAfter] = [usedBytes(), process.memoryUsage().rss];
  if (held.length !== 2 * (STREAMS + 20)) throw new Error(`${name} did not open its streams`);
  return { heldMb: (after - before) / 2 ** 20, rssMb: (rssAfter - rssBefore) / 2 ** 20 };
}

/** Each way to stream in a process of its own, and what 1,000 open streams hold over raw fetch. */
export function benchStreamsMemory(): void {
  console.log(`\nMemory of ${STREAMS} streams open at once, ${PIECES} pieces into each, a fresh process each`);
  let floor: number | undefined;
  for (const name of Object.keys(SUBJECTS)) {
    const self = fileURLToPath(import.meta.url);
    const { stdout, status } = spawnSync(process.execPath, ['--expose-gc', '--no-warnings', self, name], {
      encoding: 'utf8',
    });
    if (status !== 0) {
      console.log(`  ${name.padEnd(34)} (did not run)`);
      continue;
    }
    const { heldMb, rssMb } = JSON.parse(stdout) as { heldMb: number; rssMb: number };
    floor ??= heldMb;
    const over = heldMb - floor;
    const verdict = name.startsWith('postern')
      ? ` (budget +${BUDGET_MB}: ${over <= BUDGET_MB ? 'kept' : 'exceeded'})`
      : '';
    console.log(
      `  ${name.padEnd(34)} ${heldMb.toFixed(1).padStart(8)} MB held  +${over.toFixed(1)} over raw  (resident ${rssMb.toFixed(0)} MB)${verdict}`,
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const name = process.argv[2];
  if (name === undefined) benchStreamsMemory();
  else {
    process.stdout.write(JSON.stringify(await weigh(name)));
    process.exit(0);
  }
}
