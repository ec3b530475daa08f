import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const built = existsSync(join(ROOT, 'dist/index.d.ts'));

/** What a user writes first; the server's address comes from outside. */
const FIRST = `
  const gateway = createGateway({
    providers: [openai({ apiKey: 'sk-test-0123456789', baseURL: process.env.UPSTREAM, api: 'chat' })],
    models: { default: 'openai/gpt-5-mini' },
  });
  gateway.chat('Name three rivers.').then(async ({ text }) => {
    console.log(text);
    for await (const piece of gateway.stream('Name three rivers.').text) process.stdout.write(piece);
  });
`;

/** Everything `exports` names. */
function subpathsOf(): string[] {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, { default: string }>;
  };
  return Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === 'string') return [];
    if (!subpath.includes('*')) return [subpath.replace(/^\./, 'postern')];
    const folderOf = target.default.split('*')[0] as string;
    const nested = target.default.endsWith('/index.js');
    return readdirSync(join(ROOT, folderOf), { withFileTypes: true })
      .filter((entry) => (nested ? entry.isDirectory() : entry.name.endsWith('.js') && entry.name !== 'index.js'))
      .map((entry) => subpath.replace(/^\./, 'postern').replace('*', entry.name.replace(/\.js$/, '')));
  });
}

describe.skipIf(!built)('the package, as a new user has it (needs a build)', () => {
  let folder = '';
  let files: string[] = [];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-user-'));
    const packed = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
        cwd: ROOT,
        encoding: 'utf8',
      }),
    ) as [{ filename: string; files: { path: string }[] }];
    files = packed[0].files.map((file) => file.path);
    const modules = join(folder, 'node_modules');
    mkdirSync(join(modules, 'postern'), { recursive: true });
    execFileSync('tar', [
      '-xzf',
      join(folder, packed[0].filename),
      '-C',
      join(modules, 'postern'),
      '--strip-components=1',
    ]);
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true }));
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Puts installed packages beside it, as npm would. */
  function link(...names: string[]): void {
    for (const name of names) {
      const at = join(folder, 'node_modules', name);
      if (existsSync(at)) continue;
      mkdirSync(resolve(at, '..'), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), at);
    }
  }

  it('holds dist, README, CHANGELOG, LICENSE, llms.txt and package.json, and nothing else', () => {
    const outside = files.filter((file) => !file.startsWith('dist/'));
    expect(outside.toSorted()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'llms.txt', 'package.json']);
    expect(files.some((file) => /fixture|\.test\./.test(file))).toBe(false);
  });

  it('imports every subpath with no optional peer installed', () => {
    link('eventemitter3', 'lru-cache', 'p-retry', 'is-network-error', 'zod');
    const subpaths = subpathsOf();
    expect(subpaths.length).toBeGreaterThan(15);
    const script = `for (const name of ${JSON.stringify(subpaths)}) await import(name).catch((error) => { throw new Error(name + ': ' + error.message); });`;
    const { stderr, status } = spawnSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }, 30_000);

  it('starts from a handful of files, since a loader takes its time for each', () => {
    const loaded = new Set([join(folder, 'node_modules/postern/dist/index.js')]);
    // What is added here is walked too.
    for (const file of loaded) {
      for (const [, path] of readFileSync(file, 'utf8').matchAll(/^(?:import|export) [^'"]*["'](\.[^"']+)["']/gm)) {
        loaded.add(resolve(file, '..', path as string));
      }
    }
    expect(loaded.size).toBeGreaterThan(1);
    expect(loaded.size).toBeLessThan(10);
  });

  it('has declarations that need no option, no optional peer and no types of Node', () => {
    const lines = subpathsOf().map((name, index) => `export * as of${index} from '${name}';`);
    writeFileSync(join(folder, 'all.mts'), lines.join('\n'));
    const flags = ['--strict', '--noEmit', '--target', 'es2022', '--module', 'nodenext', '--ignoreConfig', 'all.mts'];
    const { stdout } = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), ...flags], {
      encoding: 'utf8',
      cwd: folder,
    });
    expect(stdout).toBe('');
  }, 60_000);

  it('answers the first example, from ESM and from require', async () => {
    link('eventemitter3', 'lru-cache', 'p-retry', 'is-network-error', 'zod', 'openai');
    writeFileSync(
      join(folder, 'first.mjs'),
      `import { createGateway } from 'postern';\nimport { openai } from 'postern/providers/openai';\n${FIRST}`,
    );
    writeFileSync(
      join(folder, 'first.cjs'),
      `const { createGateway } = require('postern');\nconst { openai } = require('postern/providers/openai');\n${FIRST}`,
    );
    const server = `
      import { mockServer } from 'postern/testing';
      import { spawnSync } from 'node:child_process';
      import { execFile } from 'node:child_process';
      const server = await mockServer();
      server.on('rivers').reply('The Rhine, the Elbe and the Oder.');
      const run = (file) => new Promise((resolve) => execFile(process.execPath, ['--no-warnings', file], { env: { ...process.env, UPSTREAM: server.openaiURL } }, (error, stdout, stderr) => resolve(stdout + stderr)));
      console.log(await run('first.mjs') + '|' + await run('first.cjs'));
      await server.close();
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', server], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const once = 'The Rhine, the Elbe and the Oder.\nThe Rhine, the Elbe and the Oder.';
    expect(stdout.trim()).toBe(`${once}|${once}`);
  }, 60_000);

  it('type-checks under strict without skipLibCheck', () => {
    link('openai', '@types', 'undici-types');
    writeFileSync(
      join(folder, 'first.mts'),
      `import { createGateway } from 'postern';\nimport { openai } from 'postern/providers/openai';\nimport { mockProvider } from 'postern/testing';\nexport const mock = mockProvider();\n${FIRST}`,
    );
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          module: 'NodeNext',
          target: 'ES2022',
          lib: ['ES2023', 'ESNext.Disposable', 'DOM', 'DOM.AsyncIterable'],
          strict: true,
          noEmit: true,
          skipLibCheck: false,
          types: ['node'],
        },
        files: ['first.mts'],
      }),
    );
    const { stdout } = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder], {
      encoding: 'utf8',
      cwd: folder,
    });
    // Only what is ours counts: a peer's own declarations are not ours to fix.
    expect(stdout.split('\n').filter((line) => /postern|first\.mts/.test(line))).toEqual([]);
  }, 60_000);
});
