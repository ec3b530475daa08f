import type { Json, Tokens, Usage, UsageLine } from './shared.ts';

const OUTPUT = new Set<string>([
  'output',
  'reasoning',
  'outputAudio',
  'outputImage',
  'outputVideo',
  'rejectedPrediction',
]);

export interface UsageFacts {
  readonly quality?: Usage['quality'];
  readonly flags?: Usage['flags'];
  readonly raw?: Json;
  readonly reportedCostUsd?: number;
}

/** Builds a usage whose totals are the sums of its lines, whatever the provider claimed. */
export function usageOf(lines: readonly UsageLine[], facts: UsageFacts = {}): Usage {
  const [first] = lines;
  // Nearly always there is one line, whose tokens and units are the sums.
  const { tokens, units } = lines.length === 1 && first !== undefined ? first : summed(lines);
  let input = 0;
  let output = 0;
  for (const name in tokens) {
    const count = tokens[name as keyof Tokens] ?? 0;
    if (OUTPUT.has(name)) output += count;
    else input += count;
  }
  return {
    input,
    output,
    total: input + output,
    tokens,
    ...(units !== undefined && Object.keys(units).length > 0 && { units }),
    lines,
    quality: facts.quality ?? 'reported',
    ...(facts.flags !== undefined && facts.flags.length > 0 && { flags: facts.flags }),
    ...(facts.raw !== undefined && { raw: facts.raw }),
    ...(facts.reportedCostUsd !== undefined && { reportedCostUsd: facts.reportedCostUsd }),
  };
}

function summed(lines: readonly UsageLine[]): Pick<UsageLine, 'tokens' | 'units'> {
  const tokens: Record<string, number> = {};
  const units: Record<string, number> = {};
  for (const line of lines) {
    for (const name in line.tokens) tokens[name] = (tokens[name] ?? 0) + (line.tokens[name as keyof Tokens] ?? 0);
    for (const name in line.units) units[name] = (units[name] ?? 0) + (line.units[name] ?? 0);
  }
  return { tokens: tokens as Tokens, units };
}

/** No usage is known. Not zero: `quality` says so. */
export function unknownUsage(model: string): Usage {
  return usageOf([{ model, role: 'main', tokens: {} }], { quality: 'unknown' });
}

export { estimateTokens } from './estimate-tokens.ts';

/** Adds usages of several attempts or child calls into one. */
export function addUsage(usages: readonly Usage[]): Usage {
  const qualities = new Set(usages.map((usage) => usage.quality));
  const quality = qualities.size === 1 ? [...qualities][0] : 'partial';
  return usageOf(
    usages.flatMap((usage) => usage.lines),
    { quality: quality ?? 'unknown', flags: [...new Set(usages.flatMap((usage) => usage.flags ?? []))] },
  );
}
