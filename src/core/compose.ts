import type { OperationName } from '../operations/index.ts';
import type { Call, Next, Reply } from './call.ts';
import type { Middleware } from './middleware.ts';

/** Folds middleware into one handler, first in the list outermost. A synchronous throw becomes a rejection. */
export function compose(layers: readonly Middleware[], handler: Next): Next {
  return layers.reduceRight<Next>(
    (next, layer) =>
      <K extends OperationName>(call: Call<K>): Promise<Reply<K>> => {
        // Not `async`: that would make one more promise for each layer of each call.
        try {
          return Promise.resolve(layer(call, next));
        } catch (error) {
          return Promise.reject(error);
        }
      },
    handler,
  );
}
