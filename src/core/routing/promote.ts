import { invalidOptions } from '../errors.ts';
import type { ModelsConfiguration, NodeConfiguration } from '../registry-configuration.ts';

/**
 * The configuration in which an alias's canary has become what it is: hand it to `gateway.configure({ models })`.
 *
 * @throws GatewayError `invalid-options` if the alias is no canary.
 */
export function promote(models: ModelsConfiguration, alias: string): ModelsConfiguration {
  return { ...models, [alias]: variantOf(models, alias, 'canary') };
}

/** The configuration in which an alias's canary is gone. */
export function rollBack(models: ModelsConfiguration, alias: string): ModelsConfiguration {
  return { ...models, [alias]: variantOf(models, alias, 'stable') };
}

function variantOf(models: ModelsConfiguration, alias: string, variant: 'stable' | 'canary'): NodeConfiguration {
  const configured = models[alias];
  if (typeof configured === 'object' && 'strategy' in configured && configured.strategy === 'canary') {
    return configured[variant];
  }
  throw invalidOptions(`models.${alias}`, 'is no canary: expected { strategy: "canary", stable, canary, share }.');
}
