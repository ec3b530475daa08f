import { type SdkClass, sdkClass } from '../../core/sdk-client.ts';

/** The only place that imports the SDK. */
export function loadSdk(): Promise<SdkClass> {
  return sdkClass('openai', 'openaiCompatible', async () => (await import('openai')).OpenAI);
}
