import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Unix socket of a Redis server for tests, or an empty text. */
    redisSocket: string;
    /** The program that was found, to start more of them. */
    redisProgram: string;
  }
}

export interface RedisServer {
  readonly socket: string;
  readonly process: ChildProcess;
  /** Ends it at once and removes its folder. */
  stop(): Promise<void>;
}

const START_MS_MAX = 5_000;

/**
 * Starts a server on a Unix socket in a folder of its own; `undefined` if the program is not there. Settings go over
 * ours: with a `--dir` of your own a server finds what the one before it left there. `ready` is what it must say.
 */
export async function startRedis(
  program: string,
  socket?: string,
  settings: readonly string[] = ['--port', '0'],
  ready = '+PONG',
): Promise<RedisServer | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-redis-'));
  const path = socket ?? join(folder, 's');
  const args = ['--unixsocket', path, '--save', '', '--appendonly', 'no', '--dir', folder, ...settings];
  const child = spawn(program, args, { stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  let failed = false;
  void gone.then(() => {
    failed = true;
  });
  const deadline = performance.now() + START_MS_MAX;
  while (!failed && performance.now() < deadline) {
    if (await ping(path, ready)) return { socket: path, process: child, stop };
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await stop();
  return undefined;
}

/** Asks rather than read the log: its words differ between a socket and a port. */
function ping(path: string, ready: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('error', () => resolve(false));
    socket.once('data', (data) => {
      resolve(data.toString().startsWith(ready));
      socket.destroy();
    });
    socket.once('connect', () => socket.write('PING\r\n'));
  });
}

/** vitest `globalSetup`: one server for all tests. `POSTERN_TEST_REQUIRE_REDIS=1` makes a missing one a failure. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const named = process.env['POSTERN_TEST_REDIS_SERVER'];
  for (const program of named === undefined ? ['valkey-server', 'redis-server'] : [named]) {
    const server = await startRedis(program);
    if (server === undefined) continue;
    project.provide('redisSocket', server.socket);
    project.provide('redisProgram', program);
    return server.stop;
  }
  if (process.env['POSTERN_TEST_REQUIRE_REDIS'] === '1') throw new Error('No Redis server found, and one is required.');
  process.stderr.write('No redis-server found: the Redis tests are skipped.\n');
  project.provide('redisSocket', '');
  project.provide('redisProgram', '');
  return undefined;
}
