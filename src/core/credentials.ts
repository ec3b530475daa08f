import { environment } from '#platform';
import { GatewayError } from './errors.ts';

/** A key as it stands, or a function that gives the one in force. */
export type ApiKey = string | (() => string | Promise<string>);

/**
 * The key of a provider: the option, else its official environment variable. Missing is an `authentication` error that
 * another target can make good.
 */
export function resolveKey(provider: string, option: ApiKey | undefined, variable: string): string | Promise<string> {
  const key = option ?? environment()[variable];
  if (typeof key === 'function') return key();
  if (typeof key === 'string' && key.trim() !== '') return key.trim();
  throw new GatewayError(
    'authentication',
    `${provider} has no API key: set ${variable}, or pass ${provider}({ apiKey }).`,
    {
      field: 'apiKey',
      source: 'gateway',
    },
  );
}
