import { globSync } from 'node:fs';
import { build, type Plugin } from 'rolldown';

// Writes the package's JavaScript to dist/; its types are written by tsc.

/** Every public subpath by pattern: a new middleware, provider or store touches no configuration. */
const entries = globSync([
  'src/index.ts',
  'src/ai-sdk.ts',
  'src/platform/{node,web}.ts',
  'src/middleware/*.ts',
  'src/providers/*/index.ts',
  'src/stores/*.ts',
  'src/{redaction,pricing,testing}/index.ts',
]);

/** Modules that `postern` needs to start, and those of them that its engines need when they are used alone. */
const core = new Set<string>();
const base = new Set<string>();

/** A loader takes as long for a small file as for a large one: what is always loaded together is one file. */
const together: Plugin = {
  name: 'together',
  buildEnd() {
    const addClosure = (path: string, closure: Set<string>): void => {
      for (const id of this.getModuleIds()) if (id.endsWith(path)) closure.add(id);
      // What is added here is walked too.
      for (const id of closure) for (const imported of this.getModuleInfo(id)?.importedIds ?? []) closure.add(imported);
    };
    addClosure('/src/index.ts', core);
    addClosure('/src/redaction/index.ts', base);
    addClosure('/src/pricing/index.ts', base);
  },
};

await build({
  input: Object.fromEntries(entries.map((path) => [path.replace(/^src\/|\.ts$/g, ''), path])),
  // The platform is resolved by the package's own `imports`, so that each runtime gets its half.
  external: /^(#|node:|[^./])/,
  platform: 'neutral',
  logLevel: 'warn',
  plugins: [together],
  output: {
    dir: 'dist',
    format: 'esm',
    cleanDir: true,
    comments: { annotation: true, legal: true, jsdoc: false },
    chunkFileNames: 'chunks/[name]-[hash].js',
    codeSplitting: {
      groups: [
        { name: 'base', test: (id) => core.has(id) && base.has(id) },
        { name: 'core', test: (id) => core.has(id) && !base.has(id) },
      ],
    },
  },
  transform: { target: 'node22' },
});
