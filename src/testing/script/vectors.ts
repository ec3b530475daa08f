import type { EmbedRequest, Embedding } from '../../operations/embed.ts';
import { hashOf } from './random.ts';

/** Length of a made-up vector if the request asks for none. */
export const DIMENSIONS = 256;
/** Words that say little about what a text is about. */
const GRAMMAR = new Set(
  'the and are for was what how who why with this that from you your can does did has have'.split(' '),
);

/**
 * A unit vector for a text: the same for the same text, and near for texts that share words. Words and their groups of
 * three letters are hashed into the dimensions, so `rivers in Norway` is nearer to `a river of Norway` than to `tax law`.
 */
export function vectorOf(text: string, dimensions: number = DIMENSIONS): number[] {
  const vector = new Array<number>(dimensions).fill(0);
  const add = (feature: string, weight: number): void => {
    const hash = hashOf(feature);
    const index = hash % dimensions;
    vector[index] = (vector[index] as number) + ((hash >>> 31) * 2 - 1) * weight;
  };
  for (const word of text
    .toLowerCase()
    .normalize('NFKC')
    .match(/[\p{L}\p{N}]+/gu) ?? []) {
    const weight = word.length < 3 || GRAMMAR.has(word) ? 0.2 : 1;
    add(`word ${word}`, weight);
    const padded = `^${word}$`;
    for (let at = 0; at + 3 <= padded.length; at++) add(`part ${padded.slice(at, at + 3)}`, weight * 0.3);
  }
  const length = Math.hypot(...vector);
  if (length === 0) {
    vector[hashOf(text) % dimensions] = 1;
    return vector;
  }
  return vector.map((value) => Math.round((value / length) * 1e7) / 1e7);
}

/** A vector in the encoding a request asks for. */
export function encodeVector(vector: readonly number[], encoding: EmbedRequest['encoding']): Embedding['vector'] {
  switch (encoding) {
    case 'base64':
      return base64(new Uint8Array(Float32Array.from(vector).buffer));
    case 'int8':
      return vector.map((value) => Math.round(value * 127));
    case 'uint8':
      return vector.map((value) => Math.round((value + 1) * 127.5));
    case 'binary':
      return bits(vector).map((value) => value - 128);
    case 'ubinary':
      return bits(vector);
    default:
      return vector;
  }
}

/** One bit a dimension, eight to a number, the first in the highest place. */
function bits(vector: readonly number[]): number[] {
  const bytes = new Array<number>(Math.ceil(vector.length / 8)).fill(0);
  for (const [index, value] of vector.entries()) {
    if (value > 0) bytes[index >> 3] = (bytes[index >> 3] as number) | (128 >> (index & 7));
  }
  return bytes;
}

function base64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
