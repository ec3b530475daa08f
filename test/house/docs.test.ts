import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
/** Inside the package, so that `postern` resolves to its own `dist`. Not in git. */
const WORK = join(ROOT, '.examples');

interface Example {
  readonly file: string;
  readonly from: string;
  readonly run: boolean;
}

function pages(): string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  return ['README.md', ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
}

/** Writes every `ts` block that imports from postern to a file of its own. */
function extract(): Example[] {
  rmSync(WORK, { recursive: true, force: true });
  mkdirSync(WORK, { recursive: true });
  const examples: Example[] = [];
  for (const page of pages()) {
    const text = readFileSync(join(ROOT, page), 'utf8');
    for (const match of text.matchAll(/^```ts([^\n]*)\n([\s\S]*?)^```/gm)) {
      const [, flags = '', code = ''] = match;
      if (!/from 'postern/.test(code)) continue;
      const line = text.slice(0, match.index).split('\n').length;
      const file = join(WORK, `${page.replaceAll(/[/.]/g, '-')}-${line}.ts`);
      writeFileSync(file, `${code}\nexport {};\n`);
      examples.push({ file, from: `${page}:${line}`, run: !flags.includes('no-run') });
    }
  }
  return examples;
}

describe.skipIf(!existsSync(join(ROOT, 'dist/index.d.ts')))('the examples in README and docs (needs a build)', () => {
  let examples: Example[] = [];
  beforeAll(() => {
    examples = extract();
  });

  it('compile under strict', () => {
    expect(examples.length).toBeGreaterThan(5);
    writeFileSync(
      join(WORK, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          target: 'ES2023',
          lib: ['ES2024', 'ESNext.Disposable', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
          module: 'NodeNext',
          strict: true,
          noEmit: true,
          types: ['node'],
          skipLibCheck: true,
        },
        include: ['*.ts'],
      }),
    );
    // A peer without types of its own, and one that is not installed.
    writeFileSync(join(WORK, 'peers.d.ts'), "declare module 'pg';\ndeclare module '@ai-sdk/google';\n");
    const { stdout, status } = spawnSync(process.execPath, [tsc(), '-p', WORK], { encoding: 'utf8', cwd: ROOT });
    expect(stdout.replaceAll(WORK, ''), 'compiler output').toBe('');
    expect(status).toBe(0);
  }, 60_000);

  it('run without a key and without a network', () => {
    const files = examples.filter((example) => example.run);
    const script = `
      process.on('unhandledRejection', (error) => { throw error; });
      const { fetch } = globalThis;
      globalThis.fetch = async (input, init) => {
        const url = String(input?.url ?? input);
        if (!url.startsWith('http://127.0.0.1:')) throw new Error('an example used the network: ' + url);
        return fetch(input, init);
      };
      const failed = [];
      console.log = () => {};
      process.stdout.write = () => true;
      for (const { file, from } of ${JSON.stringify(files)}) {
        try { await import(file); } catch (error) { failed.push(from + ': ' + (error.stack ?? error)); }
      }
      process.stderr.write(failed.join('\\n'));
      process.exit(failed.length === 0 ? 0 : 1);
    `;
    const { OPENAI_API_KEY: _one, ANTHROPIC_API_KEY: _two, ...env } = process.env;
    const { stderr, status } = spawnSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
      encoding: 'utf8',
      cwd: ROOT,
      env,
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }, 120_000);
});

describe('the pages', () => {
  it('exist for every middleware, provider and store, with the same five headings', () => {
    const wanted = [
      ...names('src/middleware').map((name) => `docs/middleware/${name}.md`),
      ...names('src/stores').map((name) => `docs/stores/${name}.md`),
      ...readdirSync(join(ROOT, 'src/providers')).map((name) => `docs/providers/${name}.md`),
    ];
    const missing = wanted.filter((page) => !existsSync(join(ROOT, page)));
    expect(missing).toEqual([]);
    const incomplete = wanted.filter((page) => {
      const text = readFileSync(join(ROOT, page), 'utf8');
      return !['What it does', 'Use', 'Options', 'Order', 'Limits'].every((heading) => text.includes(`## ${heading}`));
    });
    expect(incomplete).toEqual([]);
  });

  it('have no dead links between them', () => {
    const dead = pages().flatMap((page) => {
      const text = readFileSync(join(ROOT, page), 'utf8');
      return [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map((match) => match[1] as string)
        .filter((link) => !existsSync(resolve(ROOT, dirname(page), link)))
        .map((link) => `${page} -> ${link}`);
    });
    expect(dead).toEqual([]);
  });

  it('README has at most 200 lines and opens with the two commands', () => {
    const text = readFileSync(join(ROOT, 'README.md'), 'utf8');
    expect(text.split('\n').length).toBeLessThanOrEqual(200);
    expect(text).toContain('npm ci && npm start');
    expect(text).toContain('npm ci && npm test');
  });
});

function names(folder: string): string[] {
  return readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.ts') && name !== 'index.ts')
    .map((name) => name.replace(/\.ts$/, ''));
}

function tsc(): string {
  return join(ROOT, 'node_modules/typescript/bin/tsc');
}
