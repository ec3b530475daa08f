import { existsSync, readFileSync } from 'node:fs';
import type { DialectEnvironment, ResponseHead } from '../../../src/core/dialect.ts';

/** Recordings by others, beside the repository and never in it. */
const root = new URL('../../../../shared/fixtures/providers/', import.meta.url);

export interface Recording {
  readonly name: string;
  readonly provider: string;
  readonly endpoint: string;
  readonly stream: boolean;
  readonly status: number;
  readonly tags: readonly string[];
  readonly files: { readonly response?: string; readonly events?: string; readonly request?: string };
  readonly headers?: Readonly<Record<string, string>>;
}

export const absent = !existsSync(new URL('manifest.json', root));
const all: readonly Recording[] = absent ? [] : JSON.parse(readFileSync(new URL('manifest.json', root), 'utf8'));
export const recordings = (endpoint: string) => all.filter((one) => one.endpoint === endpoint);
export const read = (file: string) => readFileSync(new URL(file, root), 'utf8');
export const readLines = (file: string) =>
  read(file)
    .split('\n')
    .filter((line) => line.trim() !== '');

export const head = (status = 200, headers: Readonly<Record<string, string>> = {}): ResponseHead => ({
  status,
  headers,
});
export const environment = (more: Partial<DialectEnvironment> = {}): DialectEnvironment => ({
  target: { provider: 'test', model: 'test-model' },
  stream: false,
  nowMs: Date.UTC(2026, 0, 1),
  ...more,
});
