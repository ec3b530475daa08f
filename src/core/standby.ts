import { contextKey } from './context.ts';
import type { GatewayError } from './errors.ts';

/** Another model stands ready for a call, outside of `retry`. Set by `fallback`, read by who would wait or ask again. */
export interface Standby {
  /** Whether it takes over after this failure. */
  takesOver(error: GatewayError): boolean;
  /** The attempt in hand only finds out whether a target is back. */
  probing: boolean;
}
export const standbyKey = contextKey<Standby | undefined>('standby', undefined);

/** Attempts of a call that were made before its request was changed: what they found wrong with it says nothing any more. */
export const outdatedKey = contextKey<number>('outdated attempts', 0);

/** How a stream ended that ended without any content: nobody has read anything of it. Set by dispatch. */
export const wordlessKey = contextKey<string | undefined>('wordless finish', undefined);
