import type { JsonObject, Native } from '../../operations/shared.ts';
import { mergeNative, recordOf } from '../../core/wire-json.ts';

export const PROTOCOL = 'openai-chat';
/** The key under `native['openai-chat']` that is ours: it says how a thing was written, and never goes out. */
const HINTS = '~';

/** How a message or part was written where the protocol has several ways to say the same. */
export interface Hints {
  /** Content was an array although a string would do. */
  readonly array?: boolean;
  /** What stood for absent content. */
  readonly content?: 'null' | 'absent' | 'empty';
  /** Field that held the reasoning. */
  readonly reasoningField?: 'reasoning_content' | 'reasoning' | 'thinking';
  /** From before tools: `functions`, `function_call`, role `function`. */
  readonly legacy?: boolean;
}

export function hintsOf(native: Native | undefined): Hints {
  return (recordOf(native?.[PROTOCOL]?.[HINTS]) ?? {}) as Hints;
}

/** Native fields with hints beside them; `undefined` if there is neither. */
export function withHints(native: Native | undefined, hints: Hints): Native | undefined {
  if (Object.keys(hints).length === 0) return native;
  return { ...native, [PROTOCOL]: { ...native?.[PROTOCOL], [HINTS]: hints as JsonObject } };
}

/** Merges the native fields over what was encoded, without the hints. */
export function mergeWire<T extends object>(encoded: T, native: Native | undefined): T {
  const fields = native?.[PROTOCOL];
  if (fields === undefined) return encoded;
  if (!(HINTS in fields)) return mergeNative(encoded, native, PROTOCOL);
  const { [HINTS]: _hints, ...rest } = fields;
  return mergeNative(encoded, { [PROTOCOL]: rest }, PROTOCOL);
}
