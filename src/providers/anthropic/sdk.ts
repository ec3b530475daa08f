import { type SdkClass, sdkClass } from '../../core/sdk-client.ts';

/** The only place that imports the SDK. */
export function loadSdk(): Promise<SdkClass> {
  return sdkClass('@anthropic-ai/sdk', 'anthropic', async () => (await import('@anthropic-ai/sdk')).Anthropic);
}
