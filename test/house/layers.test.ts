import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../../src');

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
const sources = new Map(files.map((name) => [name, readFileSync(join(SRC, name), 'utf8')]));

/** Rooms of the house, lowest first. A file may import from its own room's row or below, as `siblings` allows. */
const ROWS: readonly (readonly string[])[] = [
  ['operations', 'platform'],
  ['core'],
  ['dialects', 'pricing', 'redaction', 'stores'],
  ['providers', 'middleware', 'doors'],
  ['.'],
  ['ai-sdk', 'testing'],
];
const rowOf = (room: string): number => ROWS.findIndex((row) => row.includes(room));
const roomOf = (file: string): string => {
  const [first, ...rest] = file.split('/');
  return rest.length > 0 ? (first as string) : first === 'ai-sdk.ts' ? 'ai-sdk' : '.';
};
/** In these rooms each folder or file stands alone: siblings never import each other. */
const ALONE = new Set(['dialects', 'providers', 'middleware', 'stores']);
const unitOf = (file: string): string => {
  const [room, second] = file.split('/');
  const folder = file.split('/').length > 2;
  return `${room}/${folder ? second : second?.replace(/\.ts$/, '')}`;
};

function importsOf(file: string): string[] {
  const text = sources.get(file) as string;
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) =>
    relative(SRC, resolve(dirname(join(SRC, file)), match[1] as string)),
  );
}

describe('the house', () => {
  it('imports go down only', () => {
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => rowOf(roomOf(target)) > rowOf(roomOf(file)))
        .map((target) => `${file} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('siblings never import each other', () => {
    const wrong = files
      .filter((file) => ALONE.has(roomOf(file)) && !file.endsWith('/index.ts'))
      .flatMap((file) =>
        importsOf(file)
          .filter((target) => roomOf(target) === roomOf(file) && unitOf(target) !== unitOf(file))
          .map((target) => `${file} -> ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  it('rooms of one row do not import each other', () => {
    const rows = ROWS.filter((row) => row.length > 1 && !row.includes('ai-sdk'));
    const wrong = files.flatMap((file) =>
      importsOf(file)
        .filter((target) => roomOf(target) !== roomOf(file))
        .filter((target) => rows.some((row) => row.includes(roomOf(file)) && row.includes(roomOf(target))))
        .map((target) => `${file} -> ${target}`),
    );
    // Middleware, providers and doors use the row below; pricing may be used by stores' readers only through them.
    expect(wrong).toEqual([]);
  });

  it('node: modules stay in platform, stores and testing', () => {
    const allowed = new Set(['platform', 'stores', 'testing']);
    const wrong = files.filter(
      (file) => !allowed.has(roomOf(file)) && /(?:from|import)\s*\(?\s*'node:/.test(sources.get(file) as string),
    );
    expect(wrong).toEqual([]);
  });

  it('nothing reachable from postern imports zod or an optional peer', () => {
    const heavy =
      /from '(zod|openai|@anthropic-ai\/sdk|ioredis|redis|pg|gpt-tokenizer|@opentelemetry\/api|libphonenumber-js)/;
    const seen = new Set<string>();
    const walk = (file: string): void => {
      if (seen.has(file) || !sources.has(file)) return;
      seen.add(file);
      for (const target of importsOf(file)) walk(target);
    };
    walk('index.ts');
    expect([...seen].filter((file) => heavy.test(sources.get(file) as string))).toEqual([]);
  });

  it('time and randomness come from options', () => {
    const allowed = new Set(['core/clock.ts', 'shared.ts']);
    const wrong = files.filter(
      (file) =>
        !allowed.has(file) &&
        roomOf(file) !== 'testing' &&
        /\bDate\.now\(\)|\bMath\.random\b|\bperformance\.now\(\)/.test(stripComments(sources.get(file) as string)),
    );
    expect(wrong).toEqual([]);
  });

  it('no file is longer than 250 lines, data apart', () => {
    const long = files
      .filter((file) => !/(-data|catalogue|endpoints)\.ts$/.test(file))
      .map((file) => [file, (sources.get(file) as string).split('\n').length] as const)
      .filter(([, lines]) => lines > 251);
    expect(long).toEqual([]);
  });
});

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}
