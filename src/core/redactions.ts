import { contextKey } from './context.ts';

/** What a redacting middleware found in one call: how often each entity, never a value. */
export type RedactionCounts = Readonly<Record<string, number>>;

/** Set by `redact`, read by meters and logs. */
export const redactionsKey = contextKey<RedactionCounts>('redactions', {});
