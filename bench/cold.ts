import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

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
  const { outputFiles } = await build({
    stdin: {
      contents: `import { createGateway } from 'postern'; import { openai } from 'postern/providers/openai';
        export const gateway = createGateway({ providers: [openai({ transport: 'fetch' })], models: { default: 'openai/x' } });`,
      resolveDir: process.cwd(),
    },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    conditions: ['import', 'default'],
    mainFields: ['module', 'main'],
    external: ['openai', '@anthropic-ai/sdk'],
    splitting: true,
    outdir: 'out',
    write: false,
    logLevel: 'error',
    tsconfigRaw: {},
  });
  const entry = outputFiles.find((file) => file.path.endsWith('stdin.js'));
  const names = new Set<string>();
  const walk = (path: string): void => {
    if (names.has(path)) return;
    names.add(path);
    const file = outputFiles.find((one) => one.path === path);
    for (const match of file?.text.matchAll(/(?:from|import)\s*"(\.\/[^"]+)"/g) ?? []) {
      walk(new URL(match[1] as string, `file://${path}`).pathname);
    }
  };
  walk(entry?.path as string);
  const files = outputFiles.filter((file) => names.has(file.path));
  const bytes = files.reduce((sum, file) => sum + file.contents.byteLength, 0);
  const zipped = gzipSync(Buffer.concat(files.map((file) => file.contents)), { level: 9 }).byteLength;
  return { minifiedKb: Math.round(bytes / 102.4) / 10, gzipKb: Math.round(zipped / 102.4) / 10 };
}
