import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

describe('the project', () => {
  it('is tested on Node 22.13 or newer', () => {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    expect(major > 22 || (major === 22 && minor >= 13)).toBe(true);
  });

  it('has a lock file that names no hosts', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved"\s*:/);
  });

  it('SEC-19: touches no global when imported', () => {
    const script = `
      const before = Reflect.ownKeys(globalThis).length;
      const listeners = process.eventNames().length;
      await import(${JSON.stringify(new URL('dist/index.js', root).href)});
      if (Reflect.ownKeys(globalThis).length !== before || process.eventNames().length !== listeners) throw new Error('a global changed');
    `;
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { stdio: 'pipe' });
  });

  it('every dependency has its reason', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
    const decision = read('docs/decisions/0002-dependencies.md');
    for (const name of Object.keys(dependencies)) expect(decision, name).toContain(`\`${name}\``);
  });
});
