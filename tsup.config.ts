import { defineConfig } from 'tsup';

/** Every public subpath by pattern: a new middleware, provider or store touches no configuration. */
export default defineConfig({
  entry: [
    'src/index.ts',
    'src/ai-sdk.ts',
    'src/platform/*.ts',
    'src/middleware/*.ts',
    'src/providers/*/index.ts',
    'src/stores/*.ts',
    'src/redaction/index.ts',
    'src/pricing/index.ts',
    'src/testing/index.ts',
  ],
  format: ['esm'],
  target: 'node22',
  platform: 'neutral',
  // Resolved by the package's own `imports`, so that each runtime gets its half.
  external: ['#platform', /^node:/],
  // node:sqlite has no name without its prefix.
  removeNodeProtocol: false,
  dts: false, // tsup's needs TypeScript 6; tsc writes the declarations.
  sourcemap: false,
  clean: true,
  splitting: true,
  treeshake: true,
});
