import { GatewayError, invalidOptions } from './core/errors.ts';
import { aFunction, anObject, checkOptions, milliseconds } from './core/options.ts';
import type { Configuration, Runtime } from './runtime.ts';
import { readTextFile } from '#platform';

export interface WatchOptions {
  /** How often to look, in milliseconds. @defaultValue 5_000 for a file, 30_000 for an address */
  readonly everyMs?: number;
  /** Headers for an address, like `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** @defaultValue globalThis.fetch */
  readonly fetch?: typeof globalThis.fetch;
}

/** A source of configuration being watched. */
export interface Watch {
  /** Settles when the first version was applied; rejects if it could not be. Later failures are events only. */
  readonly ready: Promise<void>;
  /** Looks now. Gives whether a new version was applied. */
  check(): Promise<boolean>;
  close(): void;
}

/** Largest configuration read, in bytes. */
const BYTES_MAX = 4 * 1024 * 1024;
/** Longest wait for an address, in milliseconds. */
const FETCH_MS = 10_000;

/** Reads a source; `undefined` if it has not changed since. */
type Read = () => Promise<string | undefined>;

/**
 * Applies a JSON configuration and every later version of it. A version that is refused changes nothing and is reported
 * as a `configuration` event; the last good one stays in force.
 */
export function watch(runtime: Runtime, source: string | URL, options: WatchOptions = {}): Watch {
  checkOptions('watch', options, { everyMs: milliseconds, headers: anObject, fetch: aFunction });
  const { shared } = runtime;
  const address = addressOf(source);
  const read = address === undefined ? fileReader(source) : addressReader(address, options, runtime);
  const everyMs = options.everyMs ?? (address === undefined ? 5_000 : 30_000);
  let closed = false;
  let timer: { cancel(): void } | undefined;
  let applied: string | undefined;
  let running: Promise<boolean> | undefined;
  const look = async (): Promise<boolean> => {
    const text = await read();
    if (text === undefined || text === applied || closed || shared.closed) return false;
    // Remembered before it is tried: a version that was refused is not tried again until it changes.
    applied = text;
    runtime.configure(parsed(text, source));
    return true;
  };
  const check = (): Promise<boolean> => {
    running ??= look()
      .catch((error: unknown) => {
        // What `configure` refuses it has reported itself.
        if (!(error instanceof GatewayError && error.code === 'invalid-options')) {
          const message = `${source} could not be read: ${error instanceof Error ? error.message : String(error)}`;
          shared.emit('configuration', { revision: runtime.registry().revision, status: 'refused', message });
        }
        throw error;
      })
      .finally(() => {
        running = undefined;
      });
    return running;
  };
  const again = (): void => {
    if (closed || shared.closed) return;
    timer = shared.clock.after(everyMs, () => void check().then(again, again));
  };
  const ready = check().then(() => undefined);
  ready.then(again, again);
  return {
    ready,
    check,
    close() {
      closed = true;
      timer?.cancel();
    },
  };
}

function addressOf(source: string | URL): URL | undefined {
  if (source instanceof URL ? source.protocol === 'file:' : !/^https?:/.test(source)) return undefined;
  const url = new URL(source);
  const local = url.hostname === 'localhost' || url.hostname === '127.0.0.1' || url.hostname === '[::1]';
  if (url.protocol !== 'https:' && !local) throw invalidOptions('source', 'configuration is only fetched over https.');
  return url;
}

function fileReader(source: string | URL): Read {
  return async () => {
    const text = await readTextFile(source);
    if (text.length > BYTES_MAX) throw new Error('it is larger than 4 MiB.');
    return text;
  };
}

function addressReader(url: URL, options: WatchOptions, runtime: Runtime): Read {
  let etag: string | null = null;
  return async () => {
    const get = options.fetch ?? globalThis.fetch;
    const controller = new AbortController();
    const timer = runtime.shared.clock.after(FETCH_MS, () =>
      controller.abort(new Error(`no answer in ${FETCH_MS} ms.`)),
    );
    try {
      const headers = { ...options.headers, ...(etag !== null && { 'if-none-match': etag }) };
      const response = await get(url, { headers, redirect: 'error', signal: controller.signal });
      if (response.status === 304) return undefined;
      if (!response.ok) throw new Error(`it answered with status ${response.status}.`);
      const text = await response.text();
      if (text.length > BYTES_MAX) throw new Error('it is larger than 4 MiB.');
      etag = response.headers.get('etag');
      return text;
    } finally {
      timer.cancel();
    }
  };
}

function parsed(text: string, source: string | URL): Configuration {
  try {
    return JSON.parse(text) as Configuration;
  } catch (error) {
    // The position is in the message; the text is not, it may hold anything.
    throw new Error(`it is no JSON (${(error as Error).message.replace(/"[^"]*"/g, '…')}).`, { cause: source });
  }
}
