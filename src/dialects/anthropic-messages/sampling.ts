import type { ChatRequest } from '../../operations/chat.ts';
import type { Encoding, Wire } from './encoding.ts';

/** With thinking on, `top_p` may not be lower than this (thinking page, 2026-11-22). */
const TOP_P_MIN_THINKING = 0.95;

/** `temperature`, `top_p` and `top_k` as far as the model and the API version have them. */
export function encodeSampling(request: ChatRequest, thinks: boolean, encoding: Encoding): Wire {
  const { temperature, topP, topK } = request;
  const asked: Wire = {
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { top_p: topP }),
    ...(topK !== undefined && { top_k: topK }),
  };
  const drop = (name: string, why: string): void => {
    if (!(name in asked)) return;
    delete asked[name];
    encoding.lose('unsupported', name, FIELDS[name] as string, why);
  };
  const { model, quirks } = encoding;
  if (model.sampling === 'none' || quirks.apiVersion === '2026-10-21') {
    const why =
      model.sampling === 'none'
        ? 'this model takes no sampling parameters'
        : 'this API version has no sampling parameters';
    for (const name of Object.keys(FIELDS)) drop(name, why);
    return asked;
  }
  if (temperature !== undefined) asked['temperature'] = clampTemperature(temperature, encoding);
  if (thinks) {
    if (asked['temperature'] !== 1) drop('temperature', 'thinking allows no temperature but 1');
    if (topP !== undefined && topP < TOP_P_MIN_THINKING)
      drop('top_p', `thinking needs top_p of at least ${TOP_P_MIN_THINKING}`);
    drop('top_k', 'thinking allows no top_k');
  }
  if (model.sampling === 'one' && 'temperature' in asked)
    drop('top_p', 'this model takes temperature or top_p, not both');
  return asked;
}

const FIELDS: Readonly<Record<string, string>> = { temperature: 'temperature', top_p: 'topP', top_k: 'topK' };

function clampTemperature(temperature: number, encoding: Encoding): number {
  const clamped = Math.min(1, Math.max(0, temperature));
  if (clamped !== temperature) {
    encoding.lose('clamped', 'temperature', 'temperature', `a temperature of ${temperature} becomes ${clamped}`);
  }
  return clamped;
}
