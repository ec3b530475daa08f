import type { LedgerRow } from './ledger.ts';

/** Merges readers that are each ordered by time into one that is. */
export async function* mergeByTime(
  readers: readonly AsyncGenerator<LedgerRow, undefined>[],
): AsyncGenerator<LedgerRow> {
  const heads = await Promise.all(readers.map((reader) => reader.next()));
  while (true) {
    let first = -1;
    for (const [index, head] of heads.entries()) {
      const best = heads[first];
      if (!head.done && (best === undefined || best.done || head.value.at < best.value.at)) first = index;
    }
    const head = heads[first];
    const reader = readers[first];
    if (head === undefined || head.done || reader === undefined) return;
    yield head.value;
    heads[first] = await reader.next();
  }
}
