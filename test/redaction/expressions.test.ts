import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { check } from 'recheck';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { size } from '../size.ts';

/** For one expression; the slowest takes a tenth of it on two busy cores. */
const TIMEOUT_MS = 10_000;
const folder = fileURLToPath(new URL('../../src/redaction/', import.meta.url));

/** No `+`, `*` or `{n,}` outside classes: what one start of it can cost has an end, whatever the text. */
const isBounded = ({ source }: RegExp): boolean =>
  !/[+*]|\{\d+,\}/.test(source.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x'));

/** The analyser knows neither `v` nor `d`. A sticky match begins in one place only, which is what `^` says. */
const analysed = ({ source, flags, sticky }: RegExp): [source: string, flags: string] => [
  sticky ? `^(?:${source})` : source,
  flags.replace(/[dvy]/g, ''),
];

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

  it('proves every one of them linear', { timeout: size(30_000, 1_200_000) }, async () => {
    const problems: string[] = [];
    // Small: those that have no end of their own. Full: every one.
    const sample = expressions.filter((expression) => size(!isBounded(expression), true));
    for (const expression of sample) {
      const [source, flags] = analysed(expression);
      const { status } = await check(source, flags, { timeout: TIMEOUT_MS });
      // `unknown` is no proof: an expression the analyser cannot finish is written another way.
      if (status !== 'safe') problems.push(`${status}: ${String(expression)}`);
    }
    expect(problems).toEqual([]);
    expect(sample.length).toBeGreaterThan(size(10, 280));
  });

  it('would notice one that is not', async () => {
    expect((await check(...analysed(/(?:a+)+$/y))).status).toBe('vulnerable');
  });
});
