import { type Effort, EFFORTS } from '../operations/chat.ts';

/**
 * Efforts OpenAI's models take, by model name; first match wins. Sources, read 2026-11-22: the API reference of
 * `ReasoningEffort`, and the server's own refusals as quoted in public issues (gpt-5.1 and later have no `minimal`,
 * earlier ones no `none`). Models that are not listed get what was asked for.
 */
const MODELS: readonly (readonly [name: RegExp, efforts: readonly Effort[]])[] = [
  [/^o[1-9](-|$)/, ['low', 'medium', 'high']],
  [/^gpt-5-pro/, ['high']],
  [/^gpt-5-codex/, ['low', 'medium', 'high']],
  [/^gpt-5(-|$)/, ['minimal', 'low', 'medium', 'high']],
  [/^gpt-5\.1-codex-max/, ['low', 'medium', 'high', 'xhigh']],
  [/^gpt-5\.1-codex/, ['low', 'medium', 'high']],
  [/^gpt-5\.1/, ['none', 'low', 'medium', 'high']],
  [/^gpt-5\.[2-5](\.|-).*codex/, ['low', 'medium', 'high', 'xhigh']],
  [/^gpt-5\.[2-5]-pro/, ['medium', 'high', 'xhigh']],
  [/^gpt-5\.[2-5]/, ['none', 'low', 'medium', 'high', 'xhigh']],
];

/** The effort an OpenAI model takes in place of the one asked for: the nearest, and of two the lower. */
export function nearestEffort(effort: Effort, model: string): Effort {
  const name = model.slice(model.lastIndexOf('/') + 1).toLowerCase();
  const efforts = name.includes('-chat') ? undefined : MODELS.find(([known]) => known.test(name))?.[1];
  return efforts === undefined ? effort : nearestOf(efforts, effort);
}

/** The nearest of at least one effort, given in ascending order; of two the lower. */
export function nearestOf<E extends Effort>(efforts: readonly E[], effort: Effort): E {
  const away = (one: Effort): number => Math.abs(EFFORTS.indexOf(one) - EFFORTS.indexOf(effort));
  return efforts.reduce((best, one) => (away(one) < away(best) ? one : best));
}
