import type { DialectEnvironment } from '../../core/dialect.ts';
import type { ChatRequest } from '../../operations/chat.ts';

/** What a server or model does differently, as flags of `environment.quirks`. Absent means: judge by the model name. */
interface Quirks {
  /** The model thinks, so that its encrypted reasoning may be asked for. */
  readonly reasoning?: boolean;
  /** The model takes `temperature` and `top_p`. */
  readonly sampling?: boolean;
}

/** Thinking models of OpenAI by name, `openai/` prefixes and dates aside. Model pages of OpenAI, read 2026-11-22. */
const THINKING = /(^|\/)(o\d|gpt-([5-9]|\d\d)|codex|computer-use)(?!.*chat)/;
/** Those that refuse sampling settings whatever the effort; later ones take them at effort `none`. */
const NEVER_SAMPLED = /(^|\/)(o\d|gpt-5(-|$)|codex|computer-use)(?!.*chat)/;

/** Non-thinking models answer 400 to a request for encrypted reasoning. */
export function thinks(environment: DialectEnvironment): boolean {
  const quirks: Quirks = environment.quirks ?? {};
  return quirks.reasoning ?? THINKING.test(environment.target.model);
}

export function takesSampling(request: ChatRequest, environment: DialectEnvironment): boolean {
  const quirks: Quirks = environment.quirks ?? {};
  if (quirks.sampling !== undefined) return quirks.sampling;
  const { model } = environment.target;
  if (NEVER_SAMPLED.test(model)) return false;
  const effort = request.reasoning?.effort;
  return !THINKING.test(model) || effort === undefined || effort === 'none';
}
