/**
 * An exact hit of `cache` beside the caches of LangChain and of the AI SDK's documentation, and a lookup of the semantic
 * cache's index. `npm run bench` runs it; alone: `node --no-warnings bench/cache.ts` after a build.
 */
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { createGateway } from 'postern';
import { cache } from 'postern/middleware/cache';
import { memoryVectorIndex } from 'postern/middleware/semantic-cache';
import { openai } from 'postern/providers/openai';
import { MESSAGES, upstream } from './upstream.ts';

type Messages = typeof MESSAGES;
interface Cached {
  readonly name: string;
  readonly ask: (messages: Messages) => Promise<unknown>;
}

const KEY = 'sk-bench-0123456789';
/** Hits of one slice, and slices before it counts: the compiler's own time is in the CPU time until it is done. */
const HITS = 4_000;
const WARM = 5;
/** 20 messages, 9 kB. */
const LARGE: Messages = Array.from({ length: 20 }, (_, index) =>
  index === 0
    ? (MESSAGES[0] as Messages[number])
    : {
        role: index % 2 === 1 ? ('user' as const) : ('assistant' as const),
        content: `Turn ${index}: ${'lorem ipsum dolor sit amet '.repeat(16)}`,
      },
);

/** What no cache can do without: the request as text, its hash, a look. */
function floor(): Cached {
  const kept = new LRUCache<string, string>({ max: 10_000 });
  return {
    name: 'stringify + hash + get',
    ask: async (messages) => {
      const key = hash('sha256', JSON.stringify({ model: 'gpt-test', messages }), 'hex');
      const found = kept.get(key);
      if (found === undefined) kept.set(key, 'an answer');
      return found;
    },
  };
}

function postern(): Cached {
  const gateway = createGateway({
    providers: [openai({ transport: 'fetch', api: 'chat', apiKey: KEY, fetch: upstream() as never })],
    models: { default: 'openai/gpt-test' },
    use: [cache()],
  });
  return { name: 'postern, cache()', ask: async (messages) => (await gateway.chat({ messages } as never)).text };
}

/** As the AI SDK's guide on caching middleware has it, with an LRU map in place of its Redis. */
async function aiSdk(): Promise<Cached> {
  const [{ generateText, wrapLanguageModel }, { createOpenAI }] = await Promise.all([
    import('ai'),
    import('@ai-sdk/openai'),
  ]);
  const kept = new LRUCache<string, object>({ max: 10_000 });
  const model = wrapLanguageModel({
    model: createOpenAI({ apiKey: KEY, fetch: upstream() }).chat('gpt-test'),
    middleware: {
      wrapGenerate: async ({ doGenerate, params }) => {
        const key = JSON.stringify(params);
        const found = kept.get(key) as Awaited<ReturnType<typeof doGenerate>> | undefined;
        if (found !== undefined) return found;
        const result = await doGenerate();
        kept.set(key, result);
        return result;
      },
    },
  });
  return {
    name: 'AI SDK, documented cache',
    ask: async ([system, ...messages]) => {
      const instructions = system?.content as string;
      return (await generateText({ model, messages: messages as never, instructions, maxRetries: 0 })).text;
    },
  };
}

async function langchain(): Promise<Cached> {
  const [{ ChatOpenAI }, { InMemoryCache }] = await Promise.all([
    import('@langchain/openai'),
    import('@langchain/core/caches'),
  ]);
  const model = new ChatOpenAI({
    apiKey: KEY,
    model: 'gpt-test',
    maxRetries: 0,
    configuration: { fetch: upstream() },
    cache: new InMemoryCache(),
  });
  const names: Readonly<Record<string, string>> = { user: 'human', assistant: 'ai' };
  return {
    name: 'LangChain, InMemoryCache',
    ask: (messages) => model.invoke(messages.map(({ role, content }) => [names[role] ?? role, content]) as never),
  };
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] as number;

async function slice({ ask }: Cached, messages: Messages): Promise<number> {
  const before = process.cpuUsage();
  for (let hit = 0; hit < HITS; hit++) await ask(messages);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / HITS;
}

interface Bar {
  readonly says: string;
  readonly kept: (us: number, ratio: number) => boolean;
}

async function hits(list: readonly Cached[], messages: Messages, rounds: number, bar: Bar): Promise<void> {
  const times = new Map<Cached, number[]>(list.map((each) => [each, []]));
  for (let round = -WARM; round < rounds; round++) {
    for (const each of list) {
      const us = await slice(each, messages);
      if (round >= 0) times.get(each)?.push(us);
    }
  }
  const floors = times.get(list[0] as Cached) as number[];
  console.log(`\nExact cache hit, request of ${JSON.stringify(messages).length.toLocaleString('en')} bytes`);
  for (const [{ name }, own] of times) {
    const ratio = median(own.map((us, round) => us / (floors[round] as number)));
    const us = median(own);
    const said = name.startsWith('postern') ? `   (budget ${bar.says}: ${verdict(bar.kept(us, ratio))})` : '';
    console.log(
      `  ${name.padEnd(34)} ${us.toFixed(1).padStart(8)} us/hit   ${ratio.toFixed(2).padStart(6)} x floor${said}`,
    );
  }
}

/** Seeded, as everything here: the vectors are the same in every run. */
function lookup(rounds: number): void {
  const index = memoryVectorIndex({ entriesMax: 10_000 });
  let state = 1;
  const vector = (): Float32Array =>
    Float32Array.from({ length: 384 }, () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647 - 0.5);
  for (let entry = 0; entry < 10_000; entry++) void index.add('bucket', `v${entry}`, vector());
  const times = Array.from({ length: Math.max(31, rounds) }, () => {
    const query = vector();
    const before = process.cpuUsage();
    for (let time = 0; time < 5; time++) void index.search('bucket', query, { limit: 5, threshold: 0.95 });
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 5_000;
  });
  const ms = median(times);
  console.log(`\nSemantic lookup, 10,000 vectors of 384 numbers, exact scan (budget 10 ms: ${verdict(ms <= 10)})`);
  console.log(`  ${'memoryVectorIndex()'.padEnd(34)} ${ms.toFixed(2).padStart(8)} ms`);
}

const verdict = (kept: boolean): string => (kept ? 'kept' : 'exceeded');

/** Prints the caches' part of the bench. */
export async function benchCaches(rounds: number): Promise<void> {
  const list = [floor(), postern()];
  for (const peer of [aiSdk, langchain]) {
    try {
      list.push(await peer());
    } catch (error) {
      console.log(`(${peer.name} is left out: ${(error as Error).message})`);
    }
  }
  await hits(list, MESSAGES, rounds, { says: '12 us', kept: (us) => us <= 12 });
  await hits(list, LARGE, rounds, { says: '1.6 x floor', kept: (_us, ratio) => ratio <= 1.6 });
  lookup(rounds);
}

if (import.meta.main) {
  await benchCaches(Number(process.env['BENCH_ROUNDS'] ?? 9));
  process.exit(0);
}
