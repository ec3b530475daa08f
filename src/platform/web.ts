import type { AmbientStorage } from './node.ts';
import * as pure from './sha256.ts';

/** Web runtimes have no portable ambient storage; `gateway.run` says so and points to `with`. */
export function createAmbient<T>(): AmbientStorage<T> | undefined {
  return undefined;
}

/** Web runtimes have no environment to read keys from. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return {};
}

/** Web runtimes have no files. */
export async function readTextFile(path: string | URL): Promise<string> {
  throw new Error(`This runtime has no files, so ${path} cannot be read; give an address.`);
}

/** SHA-256 of UTF-8 text or bytes, in hex. Synchronous, as the web's own is not. */
export function sha256(data: string | Uint8Array): string {
  return pure.toHex(pure.sha256(bytesOf(data)));
}

/** HMAC-SHA-256 of UTF-8 text or bytes, in hex. */
export function hmacSha256(secret: string | Uint8Array, data: string | Uint8Array): string {
  return pure.toHex(pure.hmacSha256(bytesOf(secret))(bytesOf(data)));
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? new TextEncoder().encode(data) : data;
}

export type { AmbientStorage };
