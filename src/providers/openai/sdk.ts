import { GatewayError } from '../../core/errors.ts';
import type { SdkClient } from '../../core/sdk-transport.ts';

/** The SDK's client class, loaded only when it is needed: a bundle without the package works over `fetch`. */
export async function loadSdk(): Promise<new (options: Record<string, unknown>) => SdkClient> {
  try {
    const { OpenAI } = await import('openai');
    // Typed by the slice we use; the SDK's own types are wider.
    return OpenAI as unknown as new (
      options: Record<string, unknown>,
    ) => SdkClient;
  } catch (cause) {
    throw new GatewayError(
      'unsupported',
      'The package openai is not installed: npm install openai, or use openai({ transport: "fetch" }).',
      { cause },
    );
  }
}
