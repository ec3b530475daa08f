import type { OperationName } from '../operations/index.ts';
import type { Call, Handler } from './call.ts';

/**
 * A handler whose code is loaded at its first call: a program pays, in size and start, only for the protocols it
 * speaks. From the second call on there is nothing in between.
 */
export function lazyHandler<K extends OperationName>(load: () => Promise<Handler<K>>): Handler<K> {
  let ready: Handler<K> | undefined;
  return (call: Call<K>) => {
    if (ready !== undefined) return ready(call);
    return load().then((handler) => {
      ready = handler;
      return handler(call);
    });
  };
}
