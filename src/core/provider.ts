import type { OperationName } from '../operations/index.ts';
import type { Protocol, Warning } from '../operations/shared.ts';
import type { Call, Reply } from './call.ts';
import { invalidOptions } from './errors.ts';
import type { WireCall, WireReply } from './wire.ts';

export type ProviderHandlers = { readonly [K in OperationName]?: (call: Call<K>) => Promise<Reply<K>> };

/** A name and a table of handlers. A capability is an entry in the table. `Name` is the name where it is written out. */
export interface Provider<Name extends string = string> {
  readonly name: Name;
  /** The wire protocols it speaks, so that doors can pass bytes through. */
  readonly protocols: readonly Protocol[];
  /** The models it is known to serve, for bare model names. */
  models?(): readonly string[];
  readonly handlers: ProviderHandlers;
  /** Sends a door's bytes as they are. For what has no canonical form. */
  forward?(wire: WireCall, call: Call<'raw'>): Promise<WireReply>;
  /**
   * What its protocol would drop, clamp or rewrite of a call to `call.target`, without making it. A promise while its
   * code is not loaded. Throws what the call would fail with before any network.
   */
  translate?(call: Call): readonly Warning[] | Promise<readonly Warning[]>;
  /** Whether two calls may share this target's answers, state and limits: its identity. Default: the name. */
  readonly identity?: string;
  readonly regions?: readonly string[];
  /**
   * Names of its keys: a target may name one, and one that names none is tried with each. Left out: a target may name
   * any, and the provider reads it from `call.target`.
   */
  readonly credentials?: readonly string[];
  /** Which key a call begins with: the first that is not at rest, or each in turn. @defaultValue 'ordered' */
  readonly rotation?: 'ordered' | 'round-robin';
  /** The regions a target may name. Left out: any, as a label for `region` limits or for the provider to read. */
  readonly endpoints?: readonly string[];
  /** Where requests to a region of it go, or those that name none. Telemetry tells its host and port. */
  baseURL?(region?: string): string | undefined;
  close?(): Promise<void>;
}

/** Checks a provider and freezes it. */
export function defineProvider<const Name extends string>(provider: Provider<Name>): Provider<Name> {
  if (typeof provider?.name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(provider.name)) {
    throw invalidOptions('name', 'a provider needs a name of letters, digits, ".", "_" or "-", without a slash.');
  }
  if (typeof provider.handlers !== 'object' || provider.handlers === null) {
    throw invalidOptions('handlers', `provider ${provider.name} needs a table like { chat: async (call) => reply }.`);
  }
  return Object.freeze({ ...provider });
}
