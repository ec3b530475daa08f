import assert from 'node:assert/strict';
import type { VectorIndex } from '../core/vector-index.ts';
import type { ContractCase } from './store-contract.ts';

export interface VectorIndexSubject {
  /** An index with nothing in it that keeps 8 vectors. */
  readonly index: VectorIndex;
  /** Called after the case. */
  dispose?(): void | Promise<void>;
}

/**
 * What every {@link VectorIndex} must do.
 *
 * @example
 * for (const { name, run } of vectorIndexContract(() => ({ index: memoryVectorIndex({ entriesMax: 8 }) }))) it(name, run);
 */
export function vectorIndexContract(
  create: () => VectorIndexSubject | Promise<VectorIndexSubject>,
): readonly ContractCase[] {
  return Object.entries(CASES).map(([name, check]) => ({
    name,
    async run() {
      const subject = await create();
      try {
        await check(subject.index);
      } finally {
        await subject.dispose?.();
      }
    },
  }));
}

const ALL = { limit: 10, threshold: -1 };
/** Unit vectors in a plane: their cosines are those of the angles between them. */
const at = (degrees: number): Float32Array =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180), 0);
const idsOf = async (index: VectorIndex, bucket: string, vector = at(0), options = ALL): Promise<string[]> =>
  (await index.search(bucket, vector, options)).map(({ id }) => id);

const CASES: Readonly<Record<string, (index: VectorIndex) => Promise<void>>> = {
  async 'finds nothing where nothing is'(index) {
    assert.deepEqual(await index.search('b', at(0), ALL), []);
    await index.remove('b', 'x');
    await index.clear('b');
  },

  async 'gives the nearest first, with their cosines'(index) {
    for (const degrees of [60, 0, 120, 30, 180]) await index.add('b', `at ${degrees}`, at(degrees));
    const found = await index.search('b', at(0), ALL);
    assert.deepEqual(
      found.map(({ id }) => id),
      ['at 0', 'at 30', 'at 60', 'at 120', 'at 180'],
    );
    for (const [place, degrees] of [0, 30, 60, 120, 180].entries()) {
      const { similarity } = found[place] as { similarity: number };
      assert.ok(Math.abs(similarity - Math.cos((degrees * Math.PI) / 180)) < 1e-5, `${degrees}: ${similarity}`);
      assert.ok(similarity <= 1);
    }
  },

  async 'gives no more than the limit, and none below the threshold'(index) {
    for (const degrees of [0, 10, 20, 60]) await index.add('b', String(degrees), at(degrees));
    assert.deepEqual(await idsOf(index, 'b', at(0), { limit: 2, threshold: -1 }), ['0', '10']);
    assert.deepEqual(await idsOf(index, 'b', at(0), { limit: 10, threshold: 0.9 }), ['0', '10', '20']);
    assert.deepEqual(await idsOf(index, 'b', at(0), { limit: 10, threshold: 1 }), ['0'], 'a text is like itself');
  },

  async 'compares directions, whatever the lengths'(index) {
    await index.add(
      'b',
      'long',
      at(0).map((value) => value * 1_000),
    );
    await index.add(
      'b',
      'short',
      at(90).map((value) => value / 1_000),
    );
    const found = await index.search(
      'b',
      at(0).map((value) => value * 7),
      ALL,
    );
    assert.deepEqual(
      found.map(({ id, similarity }) => [id, Math.round(similarity)]),
      [
        ['long', 1],
        ['short', 0],
      ],
    );
  },

  async 'never looks into another bucket, though its vector is the same (SEC-02)'(index) {
    const buckets = ['a', 'b', 'a b', 'a%', 'A', '', 'ä', "a' OR '1'='1"];
    for (const bucket of buckets) await index.add(bucket, `of ${bucket}`, at(0));
    for (const bucket of buckets) assert.deepEqual(await idsOf(index, bucket), [`of ${bucket}`]);
    assert.deepEqual(await idsOf(index, 'a_'), []);
    await index.remove('a', 'b of a b');
    await index.remove('a', 'of b');
    for (const bucket of buckets) assert.deepEqual(await idsOf(index, bucket), [`of ${bucket}`]);
  },

  async 'replaces what has the same id, and removes it'(index) {
    await index.add('b', 'x', at(0));
    await index.add('b', 'y', at(0));
    await index.add('b', 'x', at(90));
    assert.deepEqual(await idsOf(index, 'b', at(90)), ['x', 'y']);
    await index.remove('b', 'x');
    assert.deepEqual(await idsOf(index, 'b', at(90)), ['y']);
  },

  async 'keeps its own copy of a vector'(index) {
    const vector = at(0);
    await index.add('b', 'x', vector);
    vector.set(at(180));
    const [match] = await index.search('b', at(0), ALL);
    assert.ok((match?.similarity ?? 0) > 0.99);
  },

  async 'leaves out vectors without a direction, and those of another size'(index) {
    await index.add('b', 'x', at(0));
    await index.add('b', 'none', new Float32Array(3));
    await index.add('b', 'broken', Float32Array.of(Number.NaN, 1, 0));
    assert.deepEqual(await idsOf(index, 'b'), ['x']);
    assert.deepEqual(await idsOf(index, 'b', new Float32Array(3)), []);
    assert.deepEqual(await idsOf(index, 'b', Float32Array.of(1, 0)), []);
  },

  async 'clears the buckets that begin so, and no others'(index) {
    for (const bucket of ['ten', 'tenant', 'tenant 2', 'other', 't%']) await index.add(bucket, 'x', at(0));
    await index.clear('tenant');
    const left = [];
    for (const bucket of ['ten', 'tenant', 'tenant 2', 'other', 't%']) left.push((await idsOf(index, bucket)).length);
    assert.deepEqual(left, [1, 0, 0, 1, 1]);
    await index.clear('t%');
    assert.deepEqual(await idsOf(index, 'ten'), ['x']);
  },

  async 'keeps no more than it may: the oldest goes first'(index) {
    for (let number = 0; number < 20; number++)
      await index.add(number % 2 === 0 ? 'even' : 'odd', `${number}`, at(number));
    const left = [...(await idsOf(index, 'even')), ...(await idsOf(index, 'odd'))].map(Number);
    assert.deepEqual(
      left.sort((one, other) => one - other),
      [12, 13, 14, 15, 16, 17, 18, 19],
    );
  },
};
