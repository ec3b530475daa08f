import { GatewayError } from '../../core/errors.ts';

/** Does one thing at a time, in order: appends keep their order, and a removal never races with them. */
export function createTurns(): {
  take<T>(work: () => Promise<T>): Promise<T>;
  close(): void;
  readonly closed: boolean;
} {
  let queue: Promise<unknown> = Promise.resolve();
  let closed = false;
  return {
    take(work) {
      if (closed) return Promise.reject(new GatewayError('closed', 'The ledger was closed.'));
      const turn = queue.then(work);
      queue = turn.catch(() => undefined);
      return turn;
    },
    close() {
      closed = true;
    },
    get closed() {
      return closed;
    },
  };
}
