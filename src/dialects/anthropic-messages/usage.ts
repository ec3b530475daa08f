import { arrayOf, countOf, recordOf, stringOf } from '../../core/wire-json.ts';
import type { Json, Tokens, Usage, UsageLine } from '../../operations/shared.ts';
import { type UsageFacts, unknownUsage, usageOf } from '../../operations/usage.ts';

type WireUsage = Readonly<Record<string, unknown>>;

/** Roles of the `iterations` entries that are billed besides the top-level counts. */
const EXTRA_LINES: Readonly<Record<string, string>> = { compaction: 'compaction', advisor_message: 'advisor' };

/**
 * A wire usage in disjoint classes. Cache reads and writes stand outside `input_tokens` here, thinking inside
 * `output_tokens`. The top-level counts are the answering model's; what other models did inside the call comes as
 * lines of its own.
 */
export function decodeUsage(value: unknown, model: string): Usage {
  const wire = recordOf(value);
  if (wire === undefined || (wire['input_tokens'] === undefined && wire['output_tokens'] === undefined)) {
    return unknownUsage(model);
  }
  const flags: NonNullable<UsageFacts['flags']>[number][] = [];
  const tier = tierOf(wire);
  const units = unitsOf(wire);
  const { tokens, mismatch } = tokensOf(wire);
  if (mismatch) flags.push('totals-mismatch');
  const lines: UsageLine[] = [
    { model, role: 'main', ...(tier !== undefined && { tier }), tokens, ...(units !== undefined && { units }) },
  ];
  lines.push(...iterationLines(wire, model));
  const complete = wire['input_tokens'] !== undefined && wire['output_tokens'] !== undefined;
  return usageOf(lines, { quality: complete ? 'reported' : 'partial', flags, raw: value as Json });
}

/** Usage while the answer is still being written: what went in is known, what comes out is not. */
export function decodeStartUsage(value: unknown, model: string): Usage {
  const wire = recordOf(value) ?? {};
  const { output: _output, reasoning: _reasoning, ...tokens } = tokensOf(wire).tokens;
  const tier = tierOf(wire);
  return usageOf([{ model, role: 'main', ...(tier !== undefined && { tier }), tokens }], { quality: 'partial' });
}

/** Cumulative counts of a stream: what a later report leaves out or nulls stays as it was. */
export function mergeUsage(known: WireUsage, later: unknown): WireUsage {
  const merged: Record<string, unknown> = { ...known };
  for (const [name, value] of Object.entries(recordOf(later) ?? {})) {
    if (value !== null && value !== undefined) merged[name] = value;
  }
  return merged;
}

function tokensOf(wire: WireUsage): { tokens: Tokens; mismatch: boolean } {
  const created = recordOf(wire['cache_creation']) ?? {};
  const write5m = countOf(created['ephemeral_5m_input_tokens']);
  const write1h = countOf(created['ephemeral_1h_input_tokens']);
  const written = countOf(wire['cache_creation_input_tokens']);
  const read = countOf(wire['cache_read_input_tokens']);
  const total = countOf(wire['output_tokens']);
  const thinking = countOf(recordOf(wire['output_tokens_details'])?.['thinking_tokens']);
  const reasoning = Math.min(thinking, total);
  const rest = Math.max(0, written - write5m - write1h);
  const tokens: Tokens = {
    input: countOf(wire['input_tokens']),
    ...(read > 0 && { cacheRead: read }),
    ...(rest > 0 && { cacheWrite: rest }),
    ...(write5m > 0 && { cacheWrite5m: write5m }),
    ...(write1h > 0 && { cacheWrite1h: write1h }),
    output: total - reasoning,
    ...(reasoning > 0 && { reasoning }),
  };
  const overWritten = wire['cache_creation_input_tokens'] !== undefined && write5m + write1h > written;
  return { tokens, mismatch: thinking > total || overWritten };
}

function unitsOf(wire: WireUsage): Record<string, number> | undefined {
  const used = recordOf(wire['server_tool_use']);
  const units: Record<string, number> = {};
  const searches = countOf(used?.['web_search_requests']);
  const fetches = countOf(used?.['web_fetch_requests']);
  const sessions = countOf(used?.['code_execution_requests']);
  if (searches > 0) units['webSearch'] = searches;
  if (fetches > 0) units['webFetch'] = fetches;
  if (sessions > 0) units['codeSession'] = sessions;
  return Object.keys(units).length > 0 ? units : undefined;
}

/** The tier a line is priced at; the ordinary one has no name. */
function tierOf(wire: WireUsage): string | undefined {
  if (wire['speed'] === 'fast') return 'fast';
  const tier = stringOf(wire['service_tier']);
  return tier === 'standard' ? undefined : tier;
}

function iterationLines(wire: WireUsage, model: string): UsageLine[] {
  const iterations = arrayOf(wire['iterations']).map((entry) => recordOf(entry) ?? {});
  const fellBack = iterations.some((entry) => entry['type'] === 'fallback_message');
  const lines: UsageLine[] = [];
  for (const entry of iterations) {
    const type = stringOf(entry['type']) ?? '';
    const role = EXTRA_LINES[type] ?? (fellBack && type === 'message' ? 'declined' : undefined);
    if (role !== undefined)
      lines.push({ model: stringOf(entry['model']) ?? model, role, tokens: tokensOf(entry).tokens });
  }
  return lines;
}
