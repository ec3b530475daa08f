import { base64ToBytes } from '../operations/media.ts';

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** Base64 characters looked at: the size of a JPEG may stand behind its thumbnail. A multiple of four. */
const LOOKED_AT_MAX = 131_072;

/** Width and height from the head of a PNG, GIF, WebP or JPEG; `undefined` if they are not there. */
export function imageSize(base64: string): ImageSize | undefined {
  let bytes: Uint8Array;
  try {
    bytes = base64ToBytes(base64.slice(0, LOOKED_AT_MAX));
  } catch {
    return undefined;
  }
  if (bytes.length < 24) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = view.getUint32(0);
  if (magic === 0x89504e47) return { width: view.getUint32(16), height: view.getUint32(20) };
  if (magic === 0x47494638) return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  if (magic === 0x52494646 && bytes.length >= 30) return webpSize(view);
  return magic >>> 16 === 0xffd8 ? jpegSize(view) : undefined;
}

function webpSize(view: DataView): ImageSize | undefined {
  const kind = view.getUint32(12);
  if (kind === 0x56503858) return { width: 1 + uint24(view, 24), height: 1 + uint24(view, 27) };
  if (kind === 0x56503820)
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (kind !== 0x5650384c) return undefined;
  const bits = view.getUint32(21, true);
  return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
}

function uint24(view: DataView, at: number): number {
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
}

/** Walks the segments up to the frame header, which holds the size. */
function jpegSize(view: DataView): ImageSize | undefined {
  for (let at = 2; at + 9 < view.byteLength; ) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}
