import type { Call, Scope } from '../../core/call.ts';
import { traitsOf } from '../../operations/traits-table.ts';
import {
  defaultDetectors,
  type Detector,
  type Finding,
  type RedactionOptions,
  wordList,
} from '../../redaction/index.ts';

/** Finds what patterns cannot, like names: a list of findings for each text. */
export type Recognise = (
  texts: readonly string[],
  scope: Scope,
) => Promise<readonly (readonly Finding[])[]> | readonly (readonly Finding[])[];

/** What the recogniser found, as exact words to look for: so one value is masked wherever it stands. */
export async function recognised(call: Call, recognise: Recognise, skipped: ReadonlySet<string>): Promise<Detector[]> {
  const texts: string[] = [];
  traitsOf(call.operation).mapRequestText(call.request as never, (text, slot) => {
    if (!skipped.has(slot.kind) && text !== '') texts.push(text);
    return text;
  });
  const found = await recognise(texts, call.scope);
  const words = new Map<string, Set<string>>();
  for (const [index, findings] of found.entries()) {
    for (const { entity, start, end } of findings) {
      const value = texts[index]?.slice(start, end) ?? '';
      if (value.trim() !== '') words.set(entity, (words.get(entity) ?? new Set()).add(value));
    }
  }
  return [...words].map(([entity, values]) => wordList({ entity, words: [...values] }));
}

export function withDetectors(rules: RedactionOptions, extra: readonly Detector[]): RedactionOptions {
  const detectors = rules.detectors ?? defaultDetectors;
  return { ...rules, detectors: [...detectors, ...extra] };
}
