import type { Call } from './call.ts';
import type { ApiKey } from './credentials.ts';
import { GatewayError, invalidOptions } from './errors.ts';
import { anObject, oneOf } from './options.ts';
import type { Provider } from './provider.ts';
import type { Transport } from './transport.ts';

/** Options of a provider whose targets may choose a key and an address. */
export interface TargetChoices {
  /**
   * Several keys by name, instead of `apiKey`: `{ main: key, spare: key }`. A target may name one (`credential`); one that
   * names none is tried with each. A key that is `undefined` or empty fails with `authentication`, and the next is tried.
   *
   * @defaultValue none: one key
   */
  readonly credentials?: Readonly<Record<string, ApiKey | undefined>>;
  /** Which key a call begins with: the first that is not at rest, or each in turn. @defaultValue 'ordered' */
  readonly rotation?: 'ordered' | 'round-robin';
  /**
   * Addresses by region: `{ eu: 'https://…' }`. A target's `region` chooses among them; one without goes to `baseURL`.
   *
   * @defaultValue none
   */
  readonly regions?: Readonly<Record<string, string>>;
}

interface Options extends TargetChoices {
  readonly client?: unknown;
  readonly apiKey?: ApiKey;
  readonly baseURL?: string;
  readonly fetch?: unknown;
}

export const CHOICE_RULES = { credentials: anObject, rotation: oneOf('ordered', 'round-robin'), regions: anObject };
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/**
 * Checks the choices of a provider and tells what its targets may name and where they go: `vendorURL`, if neither the
 * options nor the environment (`addressVariable`) say otherwise. Throws `invalid-options`.
 */
export function choicesOf(
  factory: string,
  options: Options,
  vendorURL: string,
  addressVariable?: string,
): Pick<Provider, 'credentials' | 'rotation' | 'endpoints' | 'baseURL'> {
  const { credentials = {}, regions, rotation, client } = options;
  const keys = Object.keys(credentials);
  if (options.credentials !== undefined) {
    checkNames(`${factory}.credentials`, keys, 'a key, like { main: key }');
    for (const instead of ['apiKey', 'client'] as const) {
      if (options[instead] !== undefined)
        throw invalidOptions(`${factory}.${instead}`, 'credentials name the keys already; leave one of them out.');
    }
    for (const [name, key] of Object.entries(credentials)) {
      // Never the value: it may be a key in the wrong wrapping.
      if (key !== undefined && typeof key !== 'string' && typeof key !== 'function')
        throw invalidOptions(`${factory}.credentials.${name}`, 'expected a text or a function.');
    }
  }
  if (rotation !== undefined && keys.length === 0)
    throw invalidOptions(`${factory}.rotation`, 'there are no credentials to rotate.');
  if (regions !== undefined) checkRegions(factory, regions, client);
  // An address of the user's own is where the user says it is; the vendor's is not in a region because a target says so.
  const own = client ?? options.baseURL ?? options.fetch ?? addressVariable;
  const endpoints = regions === undefined ? (own === undefined ? [] : undefined) : Object.keys(regions);
  const baseURL = (region?: string): string | undefined =>
    client === undefined
      ? ((region === undefined ? undefined : regions?.[region]) ?? options.baseURL ?? addressVariable ?? vendorURL)
      : addressOf(client as object);
  return {
    baseURL,
    credentials: keys,
    ...(rotation !== undefined && { rotation }),
    ...(endpoints !== undefined && { endpoints }),
  };
}

/** Where a client of a vendor's SDK goes. */
function addressOf(client: object): string | undefined {
  const address: unknown = Reflect.get(client, 'baseURL');
  return typeof address === 'string' ? address : undefined;
}

function checkRegions(factory: string, regions: NonNullable<TargetChoices['regions']>, client: unknown): void {
  checkNames(`${factory}.regions`, Object.keys(regions), 'an address, like { eu: "https://…" }');
  if (client !== undefined) throw invalidOptions(`${factory}.regions`, 'a client has its own address; leave it out.');
  for (const [region, address] of Object.entries(regions)) {
    if (typeof address !== 'string' || !/^https?:\/\//.test(address))
      throw invalidOptions(`${factory}.regions.${region}`, 'expected an address that begins with https://.');
  }
}

function checkNames(field: string, names: readonly string[], what: string): void {
  if (names.length === 0) throw invalidOptions(field, `expected at least one name with ${what}.`);
  for (const name of names) {
    if (!NAME.test(name)) throw invalidOptions(`${field}.${name}`, 'a name is of letters, digits, ".", "_" and "-".');
  }
}

/**
 * The transport a target chooses by its credential and region. Each is made at its first request; without choices there
 * is only the one, and nothing to choose.
 */
export function targetTransport<O extends Options>(name: string, options: O, make: (own: O) => Transport): Transport {
  const { credentials, regions } = options;
  if (credentials === undefined && regions === undefined) return make(options);
  const made = new Map<string, Transport>();
  const chosen = ({ target }: Call): Transport => {
    const credential = target?.credential ?? (credentials === undefined ? undefined : Object.keys(credentials)[0]);
    const place = `${credential ?? ''}@${target?.region ?? ''}`;
    let transport = made.get(place);
    if (transport === undefined) {
      const baseURL = target?.region === undefined ? undefined : regions?.[target.region];
      const apiKey = credential === undefined ? undefined : keyOf(name, credential, credentials);
      const own = { ...options, ...(apiKey !== undefined && { apiKey }), ...(baseURL !== undefined && { baseURL }) };
      made.set(place, (transport = make(own)));
    }
    return transport;
  };
  return {
    send: (request, call) => chosen(call).send(request, call),
    secrets: () => [...made.values()].flatMap((transport) => transport.secrets()),
  };
}

function keyOf(name: string, credential: string, credentials: TargetChoices['credentials']): ApiKey {
  const key = credentials?.[credential];
  if (typeof key === 'function' || (typeof key === 'string' && key.trim() !== '')) return key;
  throw new GatewayError('authentication', `${name} has no key under the name ${credential}: set its credential.`, {
    field: `credentials.${credential}`,
    source: 'gateway',
  });
}
