import type { Tokens, Usage } from '../operations/shared.ts';
import { usageOf } from '../operations/usage.ts';
import type { Candidate } from './call.ts';
import { LIMITS } from './limits.ts';

/** What a target's prompt cache did so far. */
export interface PromptCacheReport {
  readonly target: string;
  readonly attempts: number;
  /** All prompt tokens, cached ones included. */
  readonly promptTokens: number;
  readonly readTokens: number;
  readonly writtenTokens: number;
  /** Share of prompt tokens that came from the cache. */
  readonly hitRatio: number;
  /** What the same tokens would have cost without the cache, less what they did; writes cost extra, so it may be negative. `null` without prices. */
  readonly savedNanoUsd: bigint | null;
}

/** The price of a usage at a target in billionths of a dollar; `null` if it has none. */
export type PriceOf = (usage: Usage, target: Candidate) => bigint | null;

type Totals = { -readonly [F in keyof PromptCacheReport]: PromptCacheReport[F] };

const READ = /^cacheRead/;
const WRITE = /^cacheWrite/;
const SPECIAL: Readonly<Record<string, keyof Tokens>> = {
  cacheReadAudio: 'inputAudio',
  cacheReadImage: 'inputImage',
  cacheReadVideo: 'inputVideo',
};

/** Adds up what providers report, by target. */
export class PromptCacheTotals {
  readonly #priceOf: PriceOf | undefined;
  readonly #totals = new Map<string, Totals>();

  constructor(priceOf: PriceOf | undefined) {
    this.#priceOf = priceOf;
  }

  add(target: Candidate, usage: Usage): void {
    if (usage.quality !== 'reported') return;
    const known = this.#totals.get(target.id);
    if (known === undefined && this.#totals.size >= LIMITS.healthTargetsMax) return;
    const empty: Totals = {
      target: target.id,
      attempts: 0,
      promptTokens: 0,
      readTokens: 0,
      writtenTokens: 0,
      hitRatio: 0,
      savedNanoUsd: this.#priceOf === undefined ? null : 0n,
    };
    const totals = known ?? empty;
    this.#totals.set(target.id, totals);
    totals.attempts++;
    totals.promptTokens += usage.input;
    totals.readTokens += sumOf(usage, READ);
    totals.writtenTokens += sumOf(usage, WRITE);
    totals.hitRatio = totals.promptTokens === 0 ? 0 : totals.readTokens / totals.promptTokens;
    const saved = this.#saved(target, usage);
    totals.savedNanoUsd = saved === null || totals.savedNanoUsd === null ? null : totals.savedNanoUsd + saved;
  }

  report(): PromptCacheReport[] {
    return [...this.#totals.values()].map((totals) => ({ ...totals }));
  }

  #saved(target: Candidate, usage: Usage): bigint | null {
    const [paid, without] = [this.#priceOf?.(usage, target), this.#priceOf?.(uncached(usage), target)];
    return typeof paid === 'bigint' && typeof without === 'bigint' ? without - paid : null;
  }
}

function sumOf({ tokens }: Usage, kind: RegExp): number {
  let sum = 0;
  for (const [name, count] of Object.entries(tokens)) if (kind.test(name)) sum += count;
  return sum;
}

/** The same tokens, as if there were no cache. */
function uncached(usage: Usage): Usage {
  const lines = usage.lines.map((line) => {
    const tokens: Record<string, number> = {};
    for (const [name, count] of Object.entries(line.tokens)) {
      const plain = READ.test(name) || WRITE.test(name) ? (SPECIAL[name] ?? 'input') : name;
      tokens[plain] = (tokens[plain] ?? 0) + count;
    }
    return { ...line, tokens: tokens as Tokens };
  });
  return usageOf(lines, { quality: usage.quality });
}
