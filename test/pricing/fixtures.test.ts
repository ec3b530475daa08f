import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { TokenClass, Usage } from '../../src/operations/shared.ts';
import { usageOf } from '../../src/operations/usage.ts';
import type { PriceCatalogue } from '../../src/pricing/catalogue.ts';
import { costWith } from '../../src/pricing/cost.ts';
import { bundledCatalogue } from '../../src/pricing/default-table.ts';
import { findModel } from '../../src/pricing/find-model.ts';
import { fromGenaiPrices, type GenaiProvider } from '../../src/pricing/from-genai-prices.ts';
import { checkCatalogue } from '../../src/pricing/validate.ts';

const folder = new URL('../../../shared/fixtures/prices/', import.meta.url);
const present = existsSync(folder);
/** The expectations were computed before prices changed in autumn 2026, and by day. */
const AT = Date.UTC(2026, 7, 1, 12);

interface Row {
  readonly id: string;
  readonly model: string;
  readonly expected: readonly {
    readonly usage: Readonly<Record<string, number>>;
    readonly extractors: readonly { provider_id: string; input_price?: string; output_price?: string }[];
  }[];
}

/** The fixture's totals include their parts; ours are disjoint. Text parts are what remains. */
const PARTS: readonly (readonly [string, TokenClass, string])[] = [
  ['cache_audio_read_tokens', 'cacheReadAudio', 'cache_read_tokens'],
  ['cache_image_read_tokens', 'cacheReadImage', 'cache_read_tokens'],
  ['cache_video_read_tokens', 'cacheReadVideo', 'cache_read_tokens'],
  ['cache_read_tokens', 'cacheRead', 'input_tokens'],
  ['cache_write_5m_tokens', 'cacheWrite5m', 'cache_write_tokens'],
  ['cache_write_1h_tokens', 'cacheWrite1h', 'cache_write_tokens'],
  ['cache_write_tokens', 'cacheWrite', 'input_tokens'],
  ['input_audio_tokens', 'inputAudio', 'input_tokens'],
  ['input_image_tokens', 'inputImage', 'input_tokens'],
  ['input_video_tokens', 'inputVideo', 'input_tokens'],
  ['input_tool_tokens', 'inputTool', 'input_tokens'],
  ['output_reasoning_tokens', 'reasoning', 'output_tokens'],
  ['output_audio_tokens', 'outputAudio', 'output_tokens'],
  ['output_image_tokens', 'outputImage', 'output_tokens'],
];

function usageFrom(model: string, given: Readonly<Record<string, number>>): Usage {
  const rest: Record<string, number> = { ...given };
  for (const modality of ['audio', 'image', 'video']) {
    // Cached audio is part of the audio; it is counted as cached.
    const total = rest[`input_${modality}_tokens`];
    const cached = rest[`cache_${modality}_read_tokens`] ?? 0;
    if (total !== undefined) rest[`input_${modality}_tokens`] = Math.max(0, total - cached);
  }
  const own: Record<string, number> = { ...rest };
  const tokens: Partial<Record<TokenClass, number>> = {};
  for (const [key, name, parent] of PARTS) {
    const total = own[key];
    if (total === undefined) continue;
    tokens[name] = rest[key] ?? 0;
    rest[parent] = (rest[parent] ?? 0) - total;
  }
  tokens.input = rest.input_tokens ?? 0;
  tokens.output = rest.output_tokens ?? 0;
  return usageOf([{ model, role: 'main', tokens }]);
}

describe.skipIf(!present)('the price fixtures (skipped when ../shared/fixtures is absent)', () => {
  const rows: Row[] = present
    ? readFileSync(new URL('usage-dev.jsonl', folder), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Row)
    : [];
  const catalogue = checkCatalogue(
    fromGenaiPrices(
      present ? (JSON.parse(readFileSync(new URL('price-table.json', folder), 'utf8')) as GenaiProvider[]) : [],
      { name: 'fixture', date: '2025-11-01' },
    ),
  );

  const costs = (list: PriceCatalogue, provider: string, model: string, usage: Usage): string => {
    const cost = costWith(list, usage, { provider, model, at: AT });
    return cost.priced ? `${cost.exact.inputUsd} + ${cost.exact.outputUsd}` : `${cost.reason} ${cost.detail}`;
  };

  it('price every usage to the last digit', () => {
    let exact = 0;
    const unknown = new Set<string>();
    const wrong: string[] = [];
    for (const row of rows) {
      for (const { usage: given, extractors } of row.expected) {
        const usage = usageFrom(row.model, given);
        for (const { provider_id: provider, input_price, output_price } of extractors) {
          if (input_price === undefined) continue;
          if (findModel(catalogue, provider, row.model) === undefined) {
            unknown.add(`${provider}/${row.model}`);
            continue;
          }
          const want = `${plain(input_price)} + ${plain(output_price ?? '0')}`;
          const got = costs(catalogue, provider, row.model, usage);
          // The expectations of image models are newer than the table beside them; the bundled list has their prices.
          if (got === want || costs(bundledCatalogue(), provider, row.model, usage) === want) exact++;
          else wrong.push(`${row.id} ${provider}/${row.model}: ${got}, not ${want}`);
        }
      }
    }
    expect(wrong).toEqual([]);
    expect(exact).toBeGreaterThan(700);
    // A distilled model is not the model it was distilled from, whatever its name begins with.
    expect(unknown).toContain('deepseek/deepseek-r1-distill-llama-70b');
    expect(unknown.size).toBeLessThan(6);
  });
});

/** `4E-8` and `0.0010` as plain decimals. */
function plain(text: string): string {
  const fixed = text.includes('E') ? Number(text).toFixed(18) : text;
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed;
}
