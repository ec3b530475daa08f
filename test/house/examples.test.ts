import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const examples = readdirSync(join(ROOT, 'examples')).filter((name) => /^\d\d-.*\.ts$/.test(name));
const run = promisify(execFile);

/** A line each example prints, so that a silent one fails. */
const PRINTS: Readonly<Record<string, RegExp>> = {
  '01-hello.ts': /The Rhine, the Elbe and the Oder\.\n\d+ tokens from mock\/any-model/,
  '02-stream.ts': /A short one\.\nOnce upon a time .* small\.\nstop, \d+ tokens/,
  '03-fallback.ts': /Here I am\.\nfirst: failed \(overloaded\), next target: second\/model-b\nsecond: completed/,
  '04-structured-output.ts': /good delivery, price/,
  '05-tools.ts': /running get_weather\({"city":"Oslo"}\)\nIt is 4 degrees in Oslo\./,
  '06-meter.ts': /acme any-model \d+ \d+ null\nglobex any-model \d+ \d+ null/,
  '07-own-middleware.ts': /completed by mock\ncall_\S+ completed by mock/,
  '08-own-provider.ts': /Hello, wall\.\nHello again\./,
  '14-several-keys.ts':
    /gpt-5-mini#main  failed .*\n.*\n.*gpt-5-mini#spare  completed .*\n1 attempt, with the key spare/,
};

describe.skipIf(!existsSync(join(ROOT, 'dist/index.js')))('the examples (need a build)', () => {
  for (const name of examples) {
    it(`${name} runs without a key and prints what it should`, async () => {
      const { OPENAI_API_KEY: _one, ANTHROPIC_API_KEY: _two, ...env } = process.env;
      const { stdout } = await run(process.execPath, ['--no-warnings', join(ROOT, 'examples', name)], { env });
      if (PRINTS[name] !== undefined) expect(stdout).toMatch(PRINTS[name]);
      else expect(stdout.trim()).not.toBe('');
    }, 30_000);

    it(`${name} is under 40 lines`, () => {
      expect(readFileSync(join(ROOT, 'examples', name), 'utf8').split('\n').length).toBeLessThanOrEqual(40);
    });
  }

  it('the quickstart shows its seven steps against a local server', async () => {
    const { stdout } = await run(process.execPath, ['--no-warnings', join(ROOT, 'examples/quickstart.ts')], {
      env: { ...process.env, NO_COLOR: '1' },
    });
    expect(stdout).toMatch(/1\. A first answer\n +answer +The Rhine, the Elbe and the Oder\./);
    expect(stdout).toContain('{"people":4,"day":"Friday","outside":true}');
    expect(stdout).toContain('calls     get_weather({"city":"Oslo"})');
    expect(stdout).toMatch(/openai +overloaded \(503\).*\n +anthropic completed/);
    expect(stdout).toMatch(/error +stream-interrupted: .*\n +kept +"It was a/);
    expect(stdout).toMatch(/failed: overloaded/);
    const [, hits, attempts] = /(\d+) requests reached the server, (\d+) attempts/.exec(stdout) ?? [];
    expect(hits).toBe(attempts);
  }, 60_000);

  const recordings = resolve(ROOT, '../shared/fixtures/providers');
  it.skipIf(!existsSync(recordings))(
    'the quickstart prints what each recording says (fixtures beside the repository)',
    async () => {
      const env = { ...process.env, NO_COLOR: '1', POSTERN_RECORDINGS: recordings };
      const { stdout } = await run(process.execPath, ['--no-warnings', join(ROOT, 'examples/quickstart.ts')], {
        env,
        maxBuffer: 8 * 1024 * 1024,
      });
      expect(stdout).toMatch(/409 recordings answered, 14 were failures/);
    },
    120_000,
  );
});
