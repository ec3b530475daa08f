import { invalidOptions } from './core/errors.ts';
import type { MiddlewareInfo } from './core/middleware.ts';
import type { Provider } from './core/provider.ts';

/** Providers by their names, which have to differ. */
export function providersByName(providers: readonly Provider[]): Map<string, Provider> {
  if (!Array.isArray(providers)) throw invalidOptions('providers', 'expected a list, like [openai(), anthropic()].');
  const byName = new Map<string, Provider>();
  for (const [index, provider] of providers.entries()) {
    if (typeof provider?.name !== 'string' || typeof provider.handlers !== 'object') {
      throw invalidOptions(`providers[${index}]`, 'expected a provider, like openai() or defineProvider({ name, … }).');
    }
    if (byName.has(provider.name)) {
      throw invalidOptions(
        `providers[${index}]`,
        `there are two providers named ${provider.name}; give one another name.`,
      );
    }
    byName.set(provider.name, provider);
  }
  return byName;
}

/** A store of answers must stand inside what masks them: else it keeps what should never be kept. */
export function checkOrder(infos: readonly MiddlewareInfo[]): void {
  const mask = infos.findLastIndex((info) => info.content?.masks === true);
  const store = infos.findIndex((info, index) => info.content?.stores === true && index < mask);
  if (mask === -1 || store === -1) return;
  const [storeName, maskName] = [infos[store]?.name, infos[mask]?.name];
  throw invalidOptions(
    'use',
    `${storeName} would store what ${maskName} has not masked yet; move ${storeName} after ${maskName} in the list.`,
  );
}

/** What a middleware should stand outside of and does not. It works all the same, but not as its page says. */
export function misplaced(info: MiddlewareInfo, infos: readonly MiddlewareInfo[]): string | undefined {
  const before = infos.slice(0, infos.indexOf(info));
  const names = info.outside?.filter((name) => before.some((other) => other.name === name)) ?? [];
  return names.length === 0 ? undefined : `should stand before ${names.join(', ')} in the list`;
}
