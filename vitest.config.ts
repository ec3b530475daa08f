import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { alias: { '#platform': fileURLToPath(new URL('./src/platform/node.ts', import.meta.url)) } },
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    globalSetup: ['test/redis-server.ts'],
    restoreMocks: true,
    testTimeout: 20_000,
    // The runner would leave one core idle; on two that is half of the machine.
    maxWorkers: '100%',
  },
});
