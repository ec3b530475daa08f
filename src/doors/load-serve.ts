import type { serve } from './serve.ts';

/** Loaded at the first request: a gateway that is no door does not pay for one, nor a call for `import()` each time. */
let loaded: typeof serve | undefined;

export function loadServe(): typeof serve | Promise<typeof serve> {
  if (loaded !== undefined) return loaded;
  return import('./serve.ts').then((module) => {
    loaded = module.serve;
    return loaded;
  });
}
