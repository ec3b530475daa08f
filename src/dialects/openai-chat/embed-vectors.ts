/** A vector as the base64 of its 32-bit little-endian floats, which OpenAI's SDK asks for by default. */
export function base64OfFloats(vector: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4));
  for (let index = 0; index < vector.length; index++) view.setFloat32(index * 4, vector[index] as number, true);
  const bytes = new Uint8Array(view.buffer);
  let binary = '';
  // In pieces: a call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8_192) binary += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(binary);
}

/** The inverse of {@link base64OfFloats}. Bytes past the last whole float are ignored; junk is no floats at all. */
export function floatsOfBase64(text: string): number[] {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return [];
  }
  const count = Math.floor(binary.length / 4);
  const view = new DataView(new ArrayBuffer(count * 4));
  for (let index = 0; index < count * 4; index++) view.setUint8(index, binary.charCodeAt(index));
  return Array.from({ length: count }, (_none, index) => view.getFloat32(index * 4, true));
}
