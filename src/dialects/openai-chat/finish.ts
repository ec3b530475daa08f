import type { Finish, FinishReason, TokenLogprob } from '../../operations/chat.ts';
import type { Native, Warning } from '../../operations/shared.ts';
import { arrayOf, numberOf, recordOf, stringOf } from '../../core/wire-json.ts';

/** Words for an ending, OpenAI's and those seen from servers that speak its protocol. */
const REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  stop_sequence: 'stop',
  end_turn: 'stop',
  eos: 'stop',
  eos_token: 'stop',
  length: 'length',
  max_tokens: 'length',
  model_length: 'context-length',
  model_context_window_exceeded: 'context-length',
  tool_calls: 'tool-calls',
  function_call: 'tool-calls',
  content_filter: 'content-filter',
  sensitive: 'content-filter',
  refusal: 'refusal',
  error: 'error',
  network_error: 'error',
  insufficient_system_resource: 'error',
  abort: 'cancelled',
  cancelled: 'cancelled',
};

/** What a choice held, as far as its ending depends on it. */
export interface Held {
  readonly calls: boolean;
  readonly refusal: boolean;
}

/** The ending of a choice. `warn` hears what the server got wrong. */
export function finishOf(
  raw: string | undefined,
  held: Held,
  extra: { readonly native?: Native | undefined; readonly stopSequence?: string | undefined },
  warn: (warning: Warning) => void,
): Finish {
  return {
    reason: reasonOf(raw, held, warn),
    ...(raw !== undefined && { raw }),
    ...(extra.stopSequence !== undefined && { stopSequence: extra.stopSequence }),
    ...(extra.native !== undefined && { native: extra.native }),
  };
}

function reasonOf(raw: string | undefined, held: Held, warn: (warning: Warning) => void): FinishReason {
  let reason: FinishReason;
  if (raw === undefined) {
    warn({ code: 'provider', feature: 'finish_reason', message: 'The answer ended without a finish reason.' });
    reason = 'stop';
  } else {
    reason = Object.hasOwn(REASONS, raw) ? (REASONS[raw] as FinishReason) : 'other';
  }
  if (reason === 'stop') return held.calls ? 'tool-calls' : held.refusal ? 'refusal' : 'stop';
  if (reason === 'tool-calls' && !held.calls) {
    warn({ code: 'provider', feature: 'finish_reason', message: 'The answer claims tool calls but has none.' });
    return 'stop';
  }
  return reason;
}

const WORDS: Readonly<Record<FinishReason, string>> = {
  stop: 'stop',
  length: 'length',
  'context-length': 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
  refusal: 'stop',
  // Not the end: the provider would have gone on.
  pause: 'length',
  error: 'stop',
  cancelled: 'stop',
  other: 'stop',
};

/** OpenAI's word for an ending: the one its SDK knows that is nearest. `refused`: the answer says itself that it is a refusal. */
export function finishWord(finish: Finish, legacy: boolean, refused: boolean): string {
  if (finish.reason === 'refusal' && !refused) return 'content_filter';
  if (finish.reason === 'tool-calls' && legacy) return 'function_call';
  return WORDS[finish.reason];
}

/** Log probabilities of one choice or chunk, those of a refusal included. */
export function decodeLogprobs(value: unknown): TokenLogprob[] | undefined {
  const wire = recordOf(value);
  if (wire === undefined) return undefined;
  const tokens: TokenLogprob[] = [];
  for (const item of [...arrayOf(wire['content']), ...arrayOf(wire['refusal'])]) {
    const token = decodeToken(item);
    if (token === undefined) continue;
    const top = arrayOf(recordOf(item)?.['top_logprobs']).flatMap((one) => decodeToken(one) ?? []);
    tokens.push(top.length > 0 ? { ...token, top } : token);
  }
  return tokens.length > 0 ? tokens : undefined;
}

function decodeToken(value: unknown): TokenLogprob | undefined {
  const wire = recordOf(value);
  const token = stringOf(wire?.['token']);
  const logprob = numberOf(wire?.['logprob']);
  if (token === undefined || logprob === undefined) return undefined;
  const bytes = wire?.['bytes'];
  return { token, logprob, ...(Array.isArray(bytes) && { bytes: bytes as number[] }) };
}

/** Log probabilities with every field that the SDK's types promise. */
export function encodeLogprobs(tokens: readonly TokenLogprob[] | undefined, refused: boolean) {
  if (tokens === undefined || tokens.length === 0) return null;
  const list = tokens.map((token) => ({
    token: token.token,
    logprob: token.logprob,
    bytes: token.bytes ?? null,
    top_logprobs: (token.top ?? []).map((top) => ({
      token: top.token,
      logprob: top.logprob,
      bytes: top.bytes ?? null,
    })),
  }));
  return refused ? { content: null, refusal: list } : { content: list, refusal: null };
}
