import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { build } from 'rolldown';

const SUBJECTS: Readonly<Record<string, string>> = {
  'an empty script': '',
  postern: "await import('postern')",
  'postern + openai over fetch': "await import('postern'); await import('postern/providers/openai')",
  'openai SDK': "await import('openai')",
  'AI SDK + @ai-sdk/openai': "await import('ai'); await import('@ai-sdk/openai')",
  LangChain: "await import('@langchain/openai')",
  zod: "await import('zod')",
};

/** Median wall time of a fresh process that only imports, over an empty one; interleaved. */
export async function importTimes(rounds = 7): Promise<{ name: string; ms: number }[]> {
  const times = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, code] of Object.entries(SUBJECTS)) {
      const before = performance.now();
      const { status } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' });
      if (status === 0) times.set(name, [...(times.get(name) ?? []), performance.now() - before]);
    }
  }
  const median = (name: string): number =>
    (times.get(name) ?? [Number.NaN]).toSorted((a, b) => a - b)[Math.floor(rounds / 2)] as number;
  const empty = median('an empty script');
  return [...times.keys()].map((name) => ({ name, ms: name === 'an empty script' ? empty : median(name) - empty }));
}

/** The static closure of the smallest useful program: what an edge bundle ships. SDKs are loaded later, if at all. */
export async function bundleSize(): Promise<{ minifiedKb: number; gzipKb: number }> {
  const program = `import { createGateway } from 'postern'; import { openai } from 'postern/providers/openai';
    export const gateway = createGateway({ providers: [openai({ transport: 'fetch' })], models: { default: 'openai/x' } });`;
  const { output } = await build({
    input: 'program',
    cwd: process.cwd(),
    plugins: [
      {
        name: 'program',
        resolveId: (id) => (id === 'program' ? `${process.cwd()}/program.js` : undefined),
        load: (id) => (id.endsWith('/program.js') ? program : undefined),
      },
    ],
    platform: 'neutral',
    resolve: { conditionNames: ['import', 'default'], mainFields: ['module', 'main'] },
    external: ['openai', '@anthropic-ai/sdk'],
    output: { format: 'esm', minify: true },
    write: false,
    logLevel: 'silent',
  });
  const chunks = output.filter((file) => file.type === 'chunk');
  const closure = new Set(chunks.filter((chunk) => chunk.isEntry));
  // What is added here is walked too.
  for (const chunk of closure) {
    for (const one of chunks) if (chunk.imports.includes(one.fileName)) closure.add(one);
  }
  const files = [...closure].map((chunk) => Buffer.from(chunk.code));
  const bytes = files.reduce((sum, file) => sum + file.byteLength, 0);
  const zipped = gzipSync(Buffer.concat(files), { level: 9 }).byteLength;
  return { minifiedKb: Math.round(bytes / 102.4) / 10, gzipKb: Math.round(zipped / 102.4) / 10 };
}
