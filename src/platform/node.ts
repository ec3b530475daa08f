import { AsyncLocalStorage } from 'node:async_hooks';
import type * as Crypto from 'node:crypto';

/** What the runtime gives beyond the web platform. This is Node's; `web.ts` is everybody else's. */
export interface AmbientStorage<T> {
  run<R>(value: T, work: () => R): R;
  get(): T | undefined;
}

/** Values that follow asynchronous work, or `undefined` where the runtime has no such thing. */
export function createAmbient<T>(): AmbientStorage<T> | undefined {
  const storage = new AsyncLocalStorage<T>();
  return { run: (value, work) => storage.run(value, work), get: () => storage.getStore() };
}

/** The process environment; empty where there is none. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/** A text file, by path or `file:` address. */
export function readTextFile(path: string | URL): Promise<string> {
  return process.getBuiltinModule('node:fs/promises').readFile(path, 'utf8');
}

let crypto: typeof Crypto | undefined;
/** Loaded at the first hash: importing it takes longer than everything else here together. */
const cryptography = (): typeof Crypto => (crypto ??= process.getBuiltinModule('node:crypto'));

/** SHA-256 of UTF-8 text or bytes, in hex. */
export function sha256(data: string | Uint8Array): string {
  return cryptography().hash('sha256', data, 'hex');
}

/** HMAC-SHA-256 of UTF-8 text or bytes, in hex. */
export function hmacSha256(secret: string | Uint8Array, data: string | Uint8Array): string {
  return cryptography().createHmac('sha256', secret).update(data).digest('hex');
}
