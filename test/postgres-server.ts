import { execFile, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

export interface PostgresServer {
  readonly pool: Pool;
  stop(): Promise<void>;
}

/** The part of `pg` that is used here; it brings no types. */
interface Pool {
  query(text: string, values?: readonly unknown[]): Promise<{ rows: readonly Record<string, unknown>[] }>;
  end(): Promise<void>;
}

async function connect(options: object): Promise<Pool> {
  const name: string = 'pg';
  const { Pool } = (await import(name)) as { Pool: new (options: object) => Pool };
  return new Pool({ max: 4, ...options });
}

const run = promisify(execFile);
const START_MS_MAX = 20_000;

/** Folders of server programs: those of the path, then where Debian keeps them. */
function programFolder(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...versions.map((version) => join(debian, version, 'bin')),
  ];
  return folders.find((folder) => ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))));
}

/** PostgreSQL refuses to run as root, so root runs it as somebody else. */
function somebody(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = ['postgres', 'nobody'].map((name) => lines.find((one) => one.startsWith(`${name}:`))).find(Boolean);
  const [, , uid, gid] = line?.split(':') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

/** Whether a server is named by `POSTERN_TEST_POSTGRES` or can be started. */
export const hasPostgres = process.env['POSTERN_TEST_POSTGRES'] !== undefined || programFolder() !== undefined;

/** The server of `POSTERN_TEST_POSTGRES` (an URL), or a new one on a Unix socket in a folder of its own. */
export async function startPostgres(): Promise<PostgresServer> {
  const named = process.env['POSTERN_TEST_POSTGRES'];
  if (named !== undefined) {
    const pool = await connect({ connectionString: named });
    return { pool, stop: () => pool.end() };
  }
  const programs = programFolder() as string;
  const folder = mkdtempSync(join(tmpdir(), 'postern-postgres-'));
  const user = somebody();
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const own = { cwd: folder, ...user };
  await run(join(programs, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'test', '--no-sync'], own);
  const settings = ['-D', data, '-k', folder, '-c', 'listen_addresses=', '-c', 'fsync=off'];
  const server = spawn(join(programs, 'postgres'), settings, { ...own, stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    server.kill('SIGQUIT');
    await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  const pidFile = join(data, 'postmaster.pid');
  const end = performance.now() + START_MS_MAX;
  const isReady = (): boolean => existsSync(pidFile) && readFileSync(pidFile, 'utf8').includes('ready');
  while (!isReady()) {
    if (performance.now() > end || server.exitCode !== null) {
      await stop();
      throw new Error(`PostgreSQL of ${programs} did not start.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const pool = await connect({ host: folder, user: 'test', database: 'postgres' });
  return {
    pool,
    async stop() {
      await pool.end();
      await stop();
    },
  };
}
