import { didYouMean } from '../operations/problem.ts';
import { GatewayError } from './errors.ts';
import type { Provider } from './provider.ts';

/** The providers that list a bare model name. */
export function listing(model: string, providers: ReadonlyMap<string, Provider>): string[] {
  return [...providers].filter(([, provider]) => provider.models?.().includes(model)).map(([name]) => name);
}

/** What to tell somebody who asks for a model nobody knows. */
export function unknownModel(
  name: string,
  aliases: readonly string[],
  providers: ReadonlyMap<string, Provider>,
): GatewayError {
  const known = `Aliases: ${aliases.join(', ') || 'none'}; providers: ${[...providers.keys()].join(', ') || 'none'}.`;
  const slash = name.indexOf('/');
  if (slash > 0) {
    const provider = name.slice(0, slash);
    return notFound(`model: no provider is named ${provider}.${didYouMean(provider, providers.keys())} ${known}`);
  }
  if (name === 'default')
    return notFound(`model: the request names no model and there is no alias "default". ${known}`);
  const hint = didYouMean(name, aliases);
  return notFound(
    `model: ${name} is no alias and no model that exactly one provider lists; write provider/model.${hint} ${known}`,
  );
}

function notFound(message: string): GatewayError {
  return new GatewayError('not-found', message, { field: 'model', fault: 'caller', fallbackable: false });
}
