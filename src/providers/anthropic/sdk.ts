import { GatewayError } from '../../core/errors.ts';
import type { SdkClient } from '../../core/sdk-transport.ts';

/** The SDK's client class, loaded only when it is needed: a bundle without the package works over `fetch`. */
export async function loadSdk(): Promise<new (options: Record<string, unknown>) => SdkClient> {
  try {
    const { Anthropic } = await import('@anthropic-ai/sdk');
    // Typed by the slice we use; the SDK's own types are wider.
    return Anthropic as unknown as new (
      options: Record<string, unknown>,
    ) => SdkClient;
  } catch (cause) {
    throw new GatewayError(
      'unsupported',
      'The package @anthropic-ai/sdk is not installed: npm install it, or use anthropic({ transport: "fetch" }).',
      { cause },
    );
  }
}
