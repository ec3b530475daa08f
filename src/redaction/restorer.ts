import { mayOpenPlaceholder, placeholderLength, tagOf } from './placeholder.ts';
import type { Vault } from './vault.ts';

/** Longest placeholder, hence the most a restorer holds back. */
const PLACEHOLDER_UNITS_MAX = 82;

export interface RestoreOptions {
  /** Where the text stands: `json` escapes restored values as the inside of a JSON string. @defaultValue 'plain' */
  readonly escape?: 'plain' | 'json';
}

export interface Restorer {
  /** Gives what can be given now; at most 82 units wait for the rest of a placeholder. */
  push(text: string): string;
  /** Gives what was held. */
  end(): string;
}

/** Puts values back where their placeholders stand. Placeholders the vault does not know are left as they are. */
export function restoreText(text: string, vault: Vault, { escape = 'plain' }: RestoreOptions = {}): string {
  if (vault.size === 0) return text;
  let restored = '';
  let from = 0;
  for (let open = text.indexOf('['); open >= 0; open = text.indexOf('[', open + 1)) {
    const length = placeholderLength(text, open);
    if (length === 0) continue;
    const value = vault.get(tagOf(text, open, length));
    if (value === undefined) continue;
    restored += text.slice(from, open) + (escape === 'json' ? JSON.stringify(value).slice(1, -1) : value);
    from = open + length;
    open = from - 1;
  }
  return restored + text.slice(from);
}

/** The same for text that comes in pieces, wherever they are cut. */
export function createRestorer(vault: Vault, options: RestoreOptions = {}): Restorer {
  let held = '';
  return {
    push(text) {
      const pending = held + text;
      const open = pending.lastIndexOf('[');
      const waits =
        open >= 0 &&
        pending.length - open < PLACEHOLDER_UNITS_MAX &&
        vault.size > 0 &&
        mayOpenPlaceholder(pending, open);
      held = waits ? pending.slice(open) : '';
      return restoreText(waits ? pending.slice(0, open) : pending, vault, options);
    },
    end() {
      const rest = held;
      held = '';
      return rest;
    },
  };
}
