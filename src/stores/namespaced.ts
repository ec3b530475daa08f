import { invalidOptions } from '../core/errors.ts';
import { checkInvalidation, checkStoreKey, storeKey, whenReady } from '../core/store.ts';
import type { Invalidation, ScanOptions, SetOptions, Store, StoreEntry } from '../core/store.ts';

type Scanning = Store & Required<Pick<Store, 'scan'>>;
type Replacing = Store & Required<Pick<Store, 'replace'>>;

/**
 * A store of its own inside another: keys and tags of two names never meet, whatever they look like, and
 * `invalidate({ prefix: '' })` empties this one only.
 *
 * @example
 * const acme = namespaced(store, 'acme');
 */
export function namespaced(store: Store, name: string): Store {
  if (typeof name !== 'string' || name === '') throw invalidOptions('name', 'must be text that is not empty.');
  checkStoreKey(name, 'name');
  // With its length in front no name is the beginning of another.
  const prefix = storeKey([name]);
  const inside = (key: string): string => {
    checkStoreKey(key);
    return prefix + key;
  };
  const outside = (entry: StoreEntry | undefined): StoreEntry | undefined =>
    entry === undefined ? undefined : { ...entry, tags: entry.tags.map((tag) => tag.slice(prefix.length)) };
  return {
    name: store.name,
    keyPrefix: (store.keyPrefix ?? '') + prefix,
    get: (key) => whenReady(store.get(inside(key)), outside),
    set: (key, value, options: SetOptions = {}) => {
      const tags = options.tags?.map(inside);
      return store.set(inside(key), value, tags === undefined ? options : { ...options, tags });
    },
    delete: (key, options) => store.delete(inside(key), options),
    invalidate(what: Invalidation) {
      checkInvalidation(what);
      return store.invalidate('tag' in what ? { tag: prefix + what.tag } : { prefix: prefix + what.prefix });
    },
    ...(store.scan !== undefined && {
      scan: (options: ScanOptions = {}) =>
        whenReady((store as Scanning).scan({ ...options, prefix: inside(options.prefix ?? '') }), (page) => ({
          ...page,
          entries: page.entries.map(({ key, value }) => ({ key: key.slice(prefix.length), value })),
        })),
    }),
    ...(store.replace !== undefined && {
      replace: (key, was, value) => (store as Replacing).replace(inside(key), was, value),
    }),
    ...(store.health !== undefined && { health: () => (store.health as NonNullable<Store['health']>)() }),
    ...(store.watch !== undefined && { watch: (listener) => (store.watch as NonNullable<Store['watch']>)(listener) }),
    close: () => store.close?.(),
  };
}
