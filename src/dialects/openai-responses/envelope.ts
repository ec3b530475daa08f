import { shortHash } from '../../core/replay.ts';
import { parseJson, recordOf, stringOf } from '../../core/wire-json.ts';
import type { ReasoningPart } from '../../operations/chat-parts.ts';
import { base64Of, textOfBase64 } from './media.ts';

type Sealed = NonNullable<ReasoningPart['sealed']>;
const KINDS: ReadonlySet<string> = new Set(['signature', 'encrypted', 'redacted']);

/** Sealed reasoning of another protocol, in a wrapping that an application carries as `encrypted_content`. */
export function wrapSealed(part: ReasoningPart, protocol: string): string | undefined {
  if (part.sealed === undefined || protocol === '') return undefined;
  const { kind, value } = part.sealed;
  return `ptn1.${protocol}.${base64Of(JSON.stringify({ kind, value, hash: shortHash(part.text), form: part.form }))}`;
}

export function isWrapped(value: string): boolean {
  return value.startsWith('ptn1.');
}

export interface Unwrapped {
  readonly protocol: string;
  readonly sealed: Sealed;
  readonly form: ReasoningPart['form'];
}

/** The other way; `undefined` where the wrapping is broken or the text it belongs to was changed. */
export function unwrapSealed(value: string, text: string): Unwrapped | undefined {
  const match = /^ptn1\.([^.]+)\.([A-Za-z0-9+/=]+)$/.exec(value);
  if (match === null) return undefined;
  const json = textOfBase64(match[2] as string);
  const held = json === undefined ? undefined : recordOf(parseJson(json));
  const kind = stringOf(held?.['kind']);
  const inner = stringOf(held?.['value']);
  if (kind === undefined || !KINDS.has(kind) || inner === undefined) return undefined;
  if (held?.['hash'] !== shortHash(text)) return undefined;
  const form = held['form'] === 'full' || held['form'] === 'redacted' ? held['form'] : 'summary';
  return { protocol: match[1] as string, sealed: { kind: kind as Sealed['kind'], value: inner }, form };
}
