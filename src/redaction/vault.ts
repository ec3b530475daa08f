import { invalidOptions } from '../core/errors.ts';
import { placeholder } from './placeholder.ts';

/** What was replaced, by tag, for the time of one call or conversation. Never shared between people. */
export interface Vault {
  readonly size: number;
  /** Whether there is room: a tag that is there already always has. */
  has(tag: string): boolean;
  get(tag: string): string | undefined;
  /** Keeps a value; `false` when the vault is full, and then the caller masks instead. */
  put(tag: string, value: string, entity: string): boolean;
  /** Placeholders and values, for a store that keeps a vault over requests. These are the personal data themselves. */
  entries(): IterableIterator<readonly [placeholder: string, value: string]>;
}

export interface VaultOptions {
  /** Most values kept; past it values are masked for good. @defaultValue 10_000 */
  readonly entriesMax?: number;
}

/** Makes an empty vault. */
export function createVault({ entriesMax = 10_000 }: VaultOptions = {}): Vault {
  if (!(Number.isInteger(entriesMax) && entriesMax > 0))
    throw invalidOptions('entriesMax', 'entriesMax must be a whole number above 0.');
  return new MapVault(entriesMax);
}

class MapVault implements Vault {
  readonly #entriesMax: number;
  // Made at the first value: most texts have none.
  #values: Map<string, { readonly value: string; readonly entity: string }> | undefined;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#values?.size ?? 0;
  }

  has(tag: string): boolean {
    return this.#values?.has(tag) ?? false;
  }

  get(tag: string): string | undefined {
    return this.#values?.get(tag)?.value;
  }

  put(tag: string, value: string, entity: string): boolean {
    const values = (this.#values ??= new Map());
    if (values.has(tag)) return true;
    if (values.size >= this.#entriesMax) return false;
    values.set(tag, { value, entity });
    return true;
  }

  *entries(): IterableIterator<readonly [placeholder: string, value: string]> {
    for (const [tag, { value, entity }] of this.#values ?? []) yield [placeholder(entity, tag), value] as const;
  }

  /** A vault in a log is an accident; it shows its size only. */
  toJSON(): string {
    return `[vault of ${this.size}]`;
  }
}
