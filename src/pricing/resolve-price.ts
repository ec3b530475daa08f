import type { TokenClass } from '../operations/shared.ts';
import type { PriceSpan, TokenRate, UnitRate } from './catalogue.ts';
import { type Fraction, over, parseDecimal } from './exact.ts';

/** Which price a class without its own takes: `cacheWrite1h` → `cacheWrite` → `input`. Canonical model, 2.4. */
const FALLBACK: Readonly<Record<TokenClass, TokenClass | undefined>> = {
  input: undefined,
  inputAudio: 'input',
  inputImage: 'input',
  inputVideo: 'input',
  inputDocument: 'input',
  inputTool: 'input',
  cacheRead: 'input',
  cacheReadAudio: 'cacheRead',
  cacheReadImage: 'cacheRead',
  cacheReadVideo: 'cacheRead',
  cacheWrite: 'input',
  cacheWrite5m: 'cacheWrite',
  cacheWrite30m: 'cacheWrite',
  cacheWrite1h: 'cacheWrite',
  cacheWrite12h: 'cacheWrite',
  output: undefined,
  reasoning: 'output',
  outputAudio: 'output',
  outputImage: 'output',
  outputVideo: 'output',
  rejectedPrediction: 'output',
};

const OUTPUT_CLASSES: ReadonlySet<string> = new Set<TokenClass>([
  'output',
  'reasoning',
  'outputAudio',
  'outputImage',
  'outputVideo',
  'rejectedPrediction',
]);

export function isTokenClass(name: string): name is TokenClass {
  return Object.hasOwn(FALLBACK, name);
}

export function isOutputClass(name: string): boolean {
  return OUTPUT_CLASSES.has(name);
}

/** The span that holds at a time: the last that does, so later entries refine earlier ones. */
export function spanAt(spans: readonly PriceSpan[], at: number): PriceSpan | undefined {
  for (let index = spans.length - 1; index >= 0; index--) {
    const span = spans[index];
    if (span !== undefined && holds(span, at)) return span;
  }
  return undefined;
}

const starts = new WeakMap<PriceSpan, number>();

function holds(span: PriceSpan, at: number): boolean {
  if (span.effectiveFrom !== undefined) {
    let from = starts.get(span);
    if (from === undefined) {
      from = Date.parse(span.effectiveFrom);
      starts.set(span, from);
    }
    if (at < from) return false;
  }
  if (span.daily === undefined) return true;
  const minute = Math.floor(at / 60_000) % 1440;
  const start = minuteOf(span.daily.start);
  const end = minuteOf(span.daily.end);
  return start <= end ? minute >= start && minute < end : minute >= start || minute < end;
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
}

/** The rate of a class, or of the class it falls back to. */
export function rateOf(span: PriceSpan, name: TokenClass): TokenRate | undefined {
  for (let current: TokenClass | undefined = name; current !== undefined; current = FALLBACK[current]) {
    const rate = span.tokens[current];
    if (rate !== undefined) return rate;
  }
  return undefined;
}

/** US dollars of one token. */
export interface TokenPrice extends Fraction {
  /** The same in femto-dollars, where that is a whole number that stays exact. */
  readonly femtoUsd: number | undefined;
}

interface Step {
  readonly inputTokens: number;
  readonly price: TokenPrice;
}
const parsed = new Map<string, TokenPrice>();
const steps = new WeakMap<object, readonly Step[]>();
const PARSED_MAX = 10_000;

/** US dollars of one token, given the whole input of its line. `undefined` if the text is no price. */
export function tokenPrice(rate: TokenRate, inputTokens: number): TokenPrice | undefined {
  if (typeof rate === 'string') return perMillion(rate);
  let known = steps.get(rate);
  if (known === undefined) {
    const list: Step[] = [];
    for (const step of [{ inputTokens: -1, price: rate.base }, ...rate.above]) {
      const price = perMillion(step.price);
      if (price === undefined) return undefined;
      list.push({ inputTokens: step.inputTokens, price });
    }
    known = list;
    steps.set(rate, known);
  }
  let price = known[0]?.price;
  for (const step of known) if (inputTokens > step.inputTokens) price = step.price;
  return price;
}

/** US dollars of one unit. */
export function unitPrice(rate: UnitRate): Fraction | undefined {
  const price = parseDecimal(typeof rate === 'string' ? rate : rate.price);
  return price === undefined || typeof rate === 'string' ? price : over(price, BigInt(rate.per));
}

function perMillion(text: string): TokenPrice | undefined {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const price = parseDecimal(text);
  if (price === undefined) return undefined;
  const { numerator, denominator } = over(price, 1_000_000n);
  const femto = numerator * 1_000_000_000_000_000n;
  const whole = femto % denominator === 0n && femto / denominator <= BigInt(Number.MAX_SAFE_INTEGER);
  const each = { numerator, denominator, femtoUsd: whole ? Number(femto / denominator) : undefined };
  if (parsed.size >= PARSED_MAX) parsed.clear();
  parsed.set(text, each);
  return each;
}
