/** A 32-bit hash of a text (FNV-1a, then murmur's finish). Spreads keys; no secret is safe in it. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mix(hash);
}

/** Two hashes as one. */
export function mixHashes(one: number, other: number): number {
  return mix(mix(one ^ 0x9e3779b9) + Math.imul(other, 0x85ebca6b));
}

/** A hash as a number between 0 and 1, both excluded. */
export function unitOf(hash: number): number {
  return ((hash >>> 0) + 0.5) / 4_294_967_296;
}

function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
