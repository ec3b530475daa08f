import { hash } from 'node:crypto';
import { invalidOptions } from '../../core/errors.ts';

/** ioredis and iovalkey, one server or a cluster. */
export interface CallingClient {
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** node-redis, one server or a cluster. The cluster's takes the key to route by in front. */
export interface SendingClient {
  sendCommand(...args: never[]): Promise<unknown>;
}

/** Any of ioredis, iovalkey and node-redis, recognised by structure. It is connected, configured and closed by you. */
export type RedisClient = CallingClient | SendingClient;

/** Sends one command; `key` says which server of a cluster it goes to. */
export type SendCommand = (key: string, command: readonly string[]) => Promise<unknown>;

/** One way to send commands through all of the clients. */
export function sender(client: RedisClient): SendCommand {
  if (typeof client !== 'object' || client === null) throw invalidOptions('client', 'give a connected Redis client.');
  if ('call' in client && typeof client.call === 'function') {
    return (_key, [name = '', ...args]) => client.call(name, ...args);
  }
  if (!('sendCommand' in client) || typeof client.sendCommand !== 'function') {
    throw invalidOptions('client', 'must be a client of ioredis, iovalkey or redis.');
  }
  // The two shapes of node-redis differ only in arguments that TypeScript cannot tell apart from here.
  const send = client.sendCommand.bind(client) as unknown as (...args: unknown[]) => Promise<unknown>;
  const isCluster = 'masters' in client;
  return (key, command) => (isCluster ? send(key, false, [...command]) : send([...command]));
}

/** A Lua script: sent by its digest, in full only when the server does not know it. */
export interface Script {
  readonly text: string;
  readonly sha: string;
}

export function script(text: string): Script {
  return { text, sha: hash('sha1', text, 'hex') };
}

/** Runs a script. A server that restarted or flushed its scripts says NOSCRIPT and gets the text. */
export async function runScript(
  send: SendCommand,
  { text, sha }: Script,
  keys: readonly [string, ...string[]],
  args: readonly string[],
): Promise<unknown> {
  const rest = [String(keys.length), ...keys, ...args];
  try {
    return await send(keys[0], ['evalsha', sha, ...rest]);
  } catch (error) {
    if (!replyError(error).startsWith('NOSCRIPT')) throw error;
    return send(keys[0], ['eval', text, ...rest]);
  }
}

/** What the server said, or an empty text. */
export function replyError(error: unknown): string {
  return error instanceof Error ? error.message : '';
}

/** The prefix as one hash tag, so that all keys of a store live in one slot of a cluster and scripts may join them. */
export function keyBase(prefix: string): string {
  if (typeof prefix !== 'string' || prefix === '' || /[{}]/.test(prefix)) {
    throw invalidOptions('prefix', 'must be text without braces.');
  }
  return `{${prefix}}:`;
}
