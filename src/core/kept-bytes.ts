import type { EventStream } from './event-stream.ts';

/** Bytes that a reader has come by and nobody has taken yet. */
export class KeptBytes {
  #bytes: Uint8Array[] = [];
  #news: PromiseWithResolvers<undefined> | undefined;

  get isEmpty(): boolean {
    return this.#bytes.length === 0;
  }

  push(bytes: Uint8Array): void {
    this.#bytes.push(bytes);
    this.#news?.resolve(undefined);
    this.#news = undefined;
  }

  take(): Uint8Array[] {
    const taken = this.#bytes;
    this.#bytes = [];
    return taken;
  }

  /** Resolves when there are some. */
  arrival(): Promise<undefined> {
    this.#news ??= Promise.withResolvers();
    return this.#news.promise;
  }
}

/** The bytes a reader comes by, driven by the same loop as its events. */
export function bytesOf<E>(events: EventStream<E>, kept: KeptBytes): AsyncIterableIterator<Uint8Array> {
  const bytes = pulledBytes(events, kept);
  return {
    next: () => bytes.next(),
    return: () => {
      // At once: a generator in the middle of a read would first wait for it.
      events.cancel();
      return bytes.return(undefined);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Bytes as they come, also those that make no event; what came before a failure comes before it here, too. */
async function* pulledBytes<E>(events: EventStream<E>, kept: KeptBytes): AsyncGenerator<Uint8Array> {
  let failure: unknown;
  let step: Promise<boolean> | undefined;
  try {
    for (let open = true; open || !kept.isEmpty; ) {
      yield* kept.take();
      if (!open || !kept.isEmpty) continue;
      step ??= events.next().then(
        ({ done }) => done !== true,
        (error: unknown) => {
          failure = error;
          return false;
        },
      );
      const goesOn = await Promise.race([step, kept.arrival()]);
      if (goesOn === undefined) continue;
      step = undefined;
      open = goesOn;
    }
  } finally {
    events.cancel();
  }
  if (failure !== undefined) throw failure;
}
