import { recordOf } from '../../core/wire-json.ts';
import type { TokenClass, Usage } from '../../operations/shared.ts';
import type { Wire } from './encoding.ts';

/** Lifetimes of other protocols go to the nearer of the two that exist here; without one it is the short one. */
const WRITES_5M: readonly TokenClass[] = ['cacheWrite5m', 'cacheWrite30m', 'cacheWrite'];
const WRITES_1H: readonly TokenClass[] = ['cacheWrite1h', 'cacheWrite12h'];
const READS: readonly TokenClass[] = ['cacheRead', 'cacheReadAudio', 'cacheReadImage', 'cacheReadVideo'];

/** Usage as this API counts it: cache reads and writes beside the input, thinking inside the output. */
export function encodeUsage(usage: Usage | undefined, nullables: boolean): Wire {
  const sum = (classes: readonly TokenClass[]): number =>
    classes.reduce((total, name) => total + (usage?.tokens[name] ?? 0), 0);
  const read = sum(READS);
  const write5m = sum(WRITES_5M);
  const write1h = sum(WRITES_1H);
  const reasoning = usage?.tokens.reasoning ?? 0;
  const searches = usage?.units?.['webSearch'] ?? 0;
  const fetches = usage?.units?.['webFetch'] ?? 0;
  const raw = recordOf(usage?.raw);
  return {
    ...(nullables && { inference_geo: null, output_tokens_details: null, server_tool_use: null, speed: null }),
    ...(nullables && { service_tier: null }),
    input_tokens: Math.max(0, (usage?.input ?? 0) - read - write5m - write1h),
    cache_creation_input_tokens: write5m + write1h,
    cache_read_input_tokens: read,
    cache_creation: { ephemeral_5m_input_tokens: write5m, ephemeral_1h_input_tokens: write1h },
    output_tokens: usage?.output ?? 0,
    ...(reasoning > 0 && { output_tokens_details: { thinking_tokens: reasoning } }),
    ...(searches + fetches > 0 && {
      server_tool_use: { web_search_requests: searches, web_fetch_requests: fetches },
    }),
    ...(typeof raw?.['service_tier'] === 'string' && { service_tier: raw['service_tier'] }),
  };
}
