import { GatewayError, invalidOptions } from './errors.ts';
import type { SdkClient } from './sdk-transport.ts';
import { isWrapped } from './wrapped.ts';

/** A vendor's client class, typed by the slice we use: the SDK's own types are wider. */
export type SdkClass = new (options: Record<string, unknown>) => SdkClient;

/** A vendor's client class, loaded only when it is needed: a bundle without the package works over `fetch`. */
export async function sdkClass(packageName: string, provider: string, load: () => Promise<unknown>): Promise<SdkClass> {
  try {
    return (await load()) as SdkClass;
  } catch (cause) {
    throw new GatewayError(
      'unsupported',
      `The package ${packageName} is not installed: npm install ${packageName}, or use ${provider}({ transport: "fetch" }).`,
      { cause },
    );
  }
}

/** The client a provider was given, checked, or `undefined` where it is to make one itself. */
export function givenClient(
  provider: string,
  packageName: string,
  className: string,
  options: { readonly client?: unknown; readonly transport?: 'sdk' | 'fetch' },
): SdkClient | undefined {
  const { client } = options;
  if (client === undefined) return undefined;
  if (options.transport === 'fetch') {
    throw invalidOptions(`${provider}.transport`, 'a client brings its own transport; leave one of them out.');
  }
  if (isWrapped(client as object)) {
    throw invalidOptions(`${provider}.client`, 'this client is wrapped by a gateway already; pass the original one.');
  }
  if (typeof (client as Partial<SdkClient>).post !== 'function') {
    throw invalidOptions(
      `${provider}.client`,
      `expected a client of the ${packageName} package, like new ${className}().`,
    );
  }
  return client as SdkClient;
}
