import { recordOf } from '../../core/wire-json.ts';
import type { ReasoningPart } from '../../operations/chat-parts.ts';
import type { Json } from '../../operations/shared.ts';

/** Fields of a detail that grow from piece to piece. */
const GROWING = ['text', 'summary', 'data'] as const;

/** Adds OpenRouter's `reasoning_details` to those before: pieces of one type and index are one detail. */
export function addDetails(kept: Record<string, Json>[], details: readonly unknown[]): void {
  for (const value of details) {
    const detail = recordOf(value) as Record<string, Json> | undefined;
    if (detail === undefined) continue;
    const last = kept.at(-1);
    if (
      last === undefined ||
      last['type'] !== detail['type'] ||
      last['index'] !== detail['index'] ||
      !canGrow(last, detail)
    ) {
      kept.push({ ...detail });
      continue;
    }
    for (const [name, piece] of Object.entries(detail)) {
      const grows = (GROWING as readonly string[]).includes(name) && typeof last[name] === 'string';
      if (grows && typeof piece === 'string') last[name] = (last[name] as string) + piece;
      else if (piece !== null || last[name] === undefined) last[name] = piece;
    }
  }
}

/** Two details with ids of their own are two, whatever their index. */
function canGrow(last: Record<string, Json>, detail: Record<string, Json>): boolean {
  return typeof last['id'] !== 'string' || typeof detail['id'] !== 'string' || last['id'] === detail['id'];
}

export function textOfDetails(details: readonly unknown[]): string {
  let text = '';
  for (const detail of details) {
    const said = recordOf(detail)?.['text'] ?? recordOf(detail)?.['summary'];
    if (typeof said === 'string') text += said;
  }
  return text;
}

export function formOfDetails(details: readonly Record<string, Json>[], text: string): ReasoningPart['form'] {
  if (details.some((detail) => detail['type'] === 'reasoning.summary')) return 'summary';
  return details.length > 0 && text === '' ? 'redacted' : 'full';
}
