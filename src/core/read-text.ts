import type { Target } from '../operations/shared.ts';
import { GatewayError } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { WireResponse } from './transport.ts';

/** The body as text, never more than its bound: `fail` throws over it, `cut` keeps the beginning (for error bodies). */
export async function readText(response: WireResponse, target: Target, over: 'fail' | 'cut'): Promise<string> {
  const maximum = over === 'fail' ? LIMITS.bodyBytesMax : LIMITS.errorBodyBytesMax;
  const announced = Number(response.headers['content-length'] ?? Number.NaN);
  if (announced <= maximum) return response.text();
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return WHOLE.decode(joined(chunks, bytes));
    bytes += value.byteLength;
    if (bytes > maximum) {
      await reader.cancel().catch(() => undefined);
      if (over === 'cut') return new TextDecoder().decode(joined(chunks, bytes - value.byteLength), { stream: true });
      throw new GatewayError(
        'limit-exceeded',
        `${target.provider}/${target.model} sent a body of more than ${maximum} bytes.`,
        {
          target,
          source: 'provider',
          fault: 'target',
          fallbackable: true,
          limit: { name: 'bodyBytesMax', maximum },
        },
      );
    }
    chunks.push(value);
  }
}

/** One for all: making a decoder costs more than most answers take to decode. */
const WHOLE = new TextDecoder();

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
