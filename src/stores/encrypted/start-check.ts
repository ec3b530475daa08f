import { invalidOptions } from '../../core/errors.ts';

/** Whether a store may work: at once, or with `strict` when all its records can be read. */
export class StartCheck {
  readonly #strict: boolean;
  readonly #count: () => Promise<number>;
  #state: 'open' | 'unchecked' | 'refused';
  #running: Promise<void> | undefined;

  /** `count` says how many records cannot be read. */
  constructor(strict: boolean, count: () => Promise<number>) {
    this.#strict = strict;
    this.#count = count;
    this.#state = strict ? 'unchecked' : 'open';
  }

  get passed(): boolean {
    return this.#state === 'open';
  }

  get running(): boolean {
    return this.#running !== undefined;
  }

  /** Nobody has asked for it yet, or the store broke it off. */
  get due(): boolean {
    return this.#state === 'unchecked' && !this.running;
  }

  /** Why the store does not work. */
  get reason(): string | undefined {
    if (this.#state === 'open') return undefined;
    return this.#state === 'refused' ? 'it holds records that no key can read' : 'its records have not been checked';
  }

  /** One walk at a time, however many ask. One that the store broke off decides nothing. */
  run(): Promise<void> {
    this.#running ??= this.#walk().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #walk(): Promise<void> {
    const count = await this.#count();
    if (!this.#strict) return;
    this.#state = count === 0 ? 'open' : 'refused';
    if (count === 0) return;
    throw invalidOptions(
      'keys',
      `cannot read ${count} of the records in the store. Add the keys they need, or remove them.`,
    );
  }
}
