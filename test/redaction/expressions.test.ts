import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { check } from 'recheck';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { size } from '../size.ts';

/** For one expression. Classes with big counts (`{93}`) make automata the analyser does not finish in any useful time. */
const TIMEOUT_MS = size(300, 3000);
const folder = fileURLToPath(new URL('../../src/redaction/', import.meta.url));

/** No `+`, `*` or `{n,}` outside classes: what one start of it can cost has an end, whatever the text. */
const isBounded = ({ source }: RegExp): boolean =>
  !/[+*]|\{\d+,\}/.test(source.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x'));

/** A slash where an expression may stand: after an operator, an opening bracket, a comma or `return`. */
const LITERAL =
  /(?<=(?:[(,=:[!&|?{};>]|\breturn)\s*)\/(?![*/\s])((?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)/g;

function literals(): RegExp[] {
  const found: RegExp[] = [];
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const source = readFileSync(`${folder}${name}`, 'utf8').replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
    for (const [, body = '', flags] of source.matchAll(LITERAL)) found.push(new RegExp(body, flags));
  }
  return found;
}

/** What the rules build when they are loaded: the constructor is watched meanwhile. */
async function built(): Promise<RegExp[]> {
  const found: RegExp[] = [];
  const Original = RegExp;
  vi.resetModules();
  vi.stubGlobal(
    'RegExp',
    class extends Original {
      constructor(pattern: RegExp | string, flags?: string) {
        super(pattern, flags);
        found.push(new Original(pattern, flags));
      }
    },
  );
  try {
    await import('../../src/redaction/index.ts');
  } finally {
    vi.unstubAllGlobals();
  }
  return found;
}

describe('every built-in expression is safe to a ReDoS analyser (SEC-07)', () => {
  let expressions: readonly RegExp[] = [];
  beforeAll(async () => {
    const all = [...literals(), ...(await built())];
    expressions = [...new Map(all.map((expression) => [String(expression), expression])).values()];
  });
  afterAll(() => vi.resetModules());

  it('collects the literals of the source and what the rules build', async () => {
    const [written, made] = [literals().map(String), (await built()).map(String)];
    expect(written.length).toBeGreaterThan(100);
    expect(made.length).toBeGreaterThan(150);
    expect(written).toContain('/^[ ,-]{1,2}(?:office|fax|mobile|cell|phone|home|work|desk|tel|landline)\\b/i');
    expect(made.some((source) => source.includes('[0-9A-Za-z]{36}'))).toBe(true);
  });

  it('finds nothing that takes more than linear time', { timeout: size(20_000, 1_200_000) }, async () => {
    const problems: string[] = [];
    // Small: those that have no end of their own. Full: every one.
    const sample = expressions.filter((expression) => size(!isBounded(expression), true));
    for (const expression of sample) {
      const { source, flags } = expression;
      // The analyser knows neither `v` nor `d`; sticky only limits where a match may begin.
      const { status } = await check(source, flags.replace(/[dvy]/g, ''), { timeout: TIMEOUT_MS });
      // Without a verdict in its time, only what is bounded passes.
      if (status !== 'safe' && !(status === 'unknown' && isBounded(expression))) {
        problems.push(`${status}: /${source}/${flags}`);
      }
    }
    expect(problems).toEqual([]);
    expect(sample.length).toBeGreaterThan(size(10, 250));
  });

  it('would notice one that is not', async () => {
    expect((await check('^(?:a+)+$', '')).status).toBe('vulnerable');
  });
});
