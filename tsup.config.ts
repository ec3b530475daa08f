import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { defineConfig, type Options } from 'tsup';

const INDEX = resolve('src/index.ts');
/** What is loaded beside `postern`, or by it at its first call. The engines are not: they are used alone, too. */
const BESIDE =
  /[\\/]src[\\/](ai-sdk|middleware[\\/][\w-]+|providers[\\/][\w-]+[\\/]index|stores[\\/][\w-]+|testing[\\/]index|dialects[\\/][\w-]+[\\/](index|door)|doors[\\/]serve)\.ts$/;

/**
 * A loader takes as long for a small file as for a large one, and esbuild makes one file of what the same entries reach.
 * So everything loaded beside `postern` is made to reach all of it: then it is one file instead of forty.
 */
const together: NonNullable<Options['esbuildPlugins']>[number] = {
  name: 'together',
  setup(build) {
    build.onLoad({ filter: BESIDE }, async ({ path }) => {
      const index = relative(dirname(path), INDEX).replaceAll('\\', '/');
      const source = await readFile(path, 'utf8');
      return { loader: 'ts', contents: `${source}\nimport '${index.startsWith('.') ? index : `./${index}`}';\n` };
    });
    // Our package says that its modules have no effects: an import for nothing else would be left out.
    build.onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path),
      sideEffects: true,
    }));
  },
};

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
  esbuildPlugins: [together],
});
