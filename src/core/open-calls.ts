import type { Clock } from './clock.ts';

/** What an observer keeps of each call that is running, by the call's id. */
export class OpenCalls<T> {
  readonly #open = new Map<string, T>();
  #waiting: (() => void)[] = [];

  get size(): number {
    return this.#open.size;
  }
  get(id: string): T | undefined {
    return this.#open.get(id);
  }
  set(id: string, value: T): void {
    this.#open.set(id, value);
  }
  /** Says whether it was there: whoever removes it ends it, once. */
  delete(id: string): boolean {
    const there = this.#open.delete(id);
    if (there && this.#open.size === 0 && this.#waiting.length > 0) {
      for (const resolve of this.#waiting.splice(0)) resolve();
    }
    return there;
  }
  values(): T[] {
    return [...this.#open.values()];
  }

  /** The call itself, or the nearest one above a sub-call. */
  nearest(id: string): T | undefined {
    if (this.#open.size === 0) return undefined;
    const found = this.#open.get(id);
    if (found !== undefined) return found;
    const slash = id.lastIndexOf('/');
    return slash === -1 ? undefined : this.nearest(id.slice(0, slash));
  }

  /** Resolves when no call is running, or after so many milliseconds. */
  emptied(clock: Clock, ms: number): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = clock.after(ms, resolve);
      this.#waiting.push(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

/** Longest wait of an observer for running calls to end when the gateway closes. */
export const END_MS_MAX = 1_000;
