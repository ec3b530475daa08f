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
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > maximum) {
      await reader.cancel().catch(() => undefined);
      if (over === 'cut') return text;
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
    text += decoder.decode(value, { stream: true });
  }
}
