import { invalidOptions } from '../../core/errors.ts';
import type { SendCommand } from './client.ts';

/** What the server does when its memory is full. Throws if it does not tell, as some hosted ones do not. */
export async function evictionPolicy(send: SendCommand, key: string): Promise<string> {
  const reply = await send(key, ['config', 'get', 'maxmemory-policy']);
  const values = Array.isArray(reply) ? reply : Object.values(Object(reply) as Record<string, unknown>);
  const policy: unknown = values.at(-1);
  if (typeof policy !== 'string' || policy === '') throw new Error('no maxmemory-policy in the answer');
  return policy;
}

/** Throws if limits may be dropped. A server that does not tell is believed. */
export function refuseEviction(policy: string | undefined): void {
  if (policy === undefined || policy === 'noeviction') return;
  throw invalidOptions('onEvictionPolicy', `Redis has maxmemory-policy ${policy} and may drop limits; set noeviction.`);
}
