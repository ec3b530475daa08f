import type { Target } from '../operations/shared.ts';
import type { CallCost } from './cost.ts';
import type { AttemptRow } from './ledger.ts';
import type { AttemptPrice } from './meter-rows.ts';

/** Sub-calls whose answer nobody gets: it is only looked at. */
const UNUSED_PURPOSES = new Set(['shadow']);

/** Whether the answer of an attempt that stands by itself was used: a sub-call's, if it completed. */
export function usedAlone(row: AttemptRow): boolean {
  return row.status === 'completed' && row.parentId !== undefined && !UNUSED_PURPOSES.has(row.purpose ?? '');
}

/**
 * The books of one call while it runs. A completed attempt waits here until the call ends, because only then it is
 * known whose answer the caller got; every other row is final at once.
 */
export class CallAccount {
  readonly attemptIds: string[] = [];
  readonly #callId: string;
  #held: AttemptRow[] = [];
  #spent: bigint | null = 0n;
  #wasted: bigint | null = 0n;
  #saved: bigint | null = 0n;
  #estimated = false;
  #running = 0;

  constructor(callId: string) {
    this.#callId = callId;
  }

  /** Attempts of the call itself that have not ended. */
  get running(): number {
    return this.#running;
  }

  began(callId: string): void {
    if (callId === this.#callId) this.#running++;
  }

  /** Books an attempt. Gives its row back if it is final. */
  ended(row: AttemptRow, price: AttemptPrice): AttemptRow | undefined {
    const own = row.callId === this.#callId;
    if (own) this.#running--;
    this.attemptIds.push(row.id);
    this.#spent = sum(this.#spent, price.costNanoUsd);
    this.#saved = sum(this.#saved, price.savedNanoUsd);
    if (ESTIMATES.has(row.quality) && (price.costNanoUsd ?? 0n) > 0n) this.#estimated = true;
    if (own && row.status === 'completed') {
      this.#held.push(row);
      return undefined;
    }
    const winner = usedAlone(row);
    if (!winner) this.#wasted = sum(this.#wasted, row.costNanoUsd);
    return winner ? { ...row, winner } : row;
  }

  /** A cache of ours answered: what that would have cost. */
  spared(nanoUsd: bigint | null): void {
    this.#saved = sum(this.#saved, nanoUsd);
  }

  /** The cost as it will be at the end, told a little earlier: `answering` is what the attempt that has not ended costs. */
  foreseen(served: Target | undefined, answering?: AttemptPrice): CallCost {
    const winner = answering === undefined ? this.#winner(served) : -1;
    const lost = this.#held.filter((_row, index) => index !== winner);
    return {
      spentNanoUsd: answering === undefined ? this.#spent : sum(this.#spent, answering.costNanoUsd),
      wastedNanoUsd: lost.reduce<bigint | null>((total, row) => sum(total, row.costNanoUsd), this.#wasted),
      savedNanoUsd: answering === undefined ? this.#saved : sum(this.#saved, answering.savedNanoUsd),
      ...(this.#estimated && ESTIMATED),
    };
  }

  /** The rows that waited for the end. `served`: where the caller's answer is from, if an attempt gave it. */
  close(served: Target | undefined): AttemptRow[] {
    const held = this.#held;
    const winner = this.#winner(served);
    this.#held = [];
    return held.map((row, index) => {
      if (index === winner) return { ...row, winner: true };
      this.#wasted = sum(this.#wasted, row.costNanoUsd);
      return row;
    });
  }

  /** Which waiting row gave the answer. */
  #winner(served: Target | undefined): number {
    if (served === undefined) return -1;
    const there = this.#held.findLastIndex((row) => isAt(row, served));
    return there === -1 ? this.#held.length - 1 : there;
  }

  get cost(): CallCost {
    const amounts = { spentNanoUsd: this.#spent, wastedNanoUsd: this.#wasted, savedNanoUsd: this.#saved };
    return this.#estimated ? { ...amounts, ...ESTIMATED } : amounts;
  }
}

const ESTIMATED = { estimated: true } as const;
const ESTIMATES: ReadonlySet<AttemptRow['quality']> = new Set(['estimated', 'partial']);

function isAt(row: AttemptRow, { provider, model, region, credential }: Target): boolean {
  return row.provider === provider && row.model === model && row.region === region && row.credential === credential;
}

/** What is unknown makes the sum unknown. */
function sum(left: bigint | null, right: bigint | null): bigint | null {
  return left === null || right === null ? null : left + right;
}
