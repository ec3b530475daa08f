import { type Call, OWN_PROVIDER } from './call.ts';
import type { Provider } from './provider.ts';
import type { Target } from '../operations/shared.ts';

/** The host and port a provider's requests go to. */
export interface ServerAddress {
  readonly address: string;
  readonly port: number;
}

const PORTS: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80 };
/** Base URLs remembered; there are as many as providers have regions. */
const URLS_MAX = 1_000;
const known = new Map<string, ServerAddress | undefined>();

/** The server of one target of a call; `undefined` where the provider names none. */
export function serverOf(
  providers: ReadonlyMap<string, Provider> | undefined,
  call: Call,
  target: Target | undefined,
): ServerAddress | undefined {
  if (target === undefined) return undefined;
  const own = call.plan.candidates.find(({ provider }) => provider === target.provider)?.[OWN_PROVIDER];
  const baseURL = (own ?? providers?.get(target.provider))?.baseURL?.(target.region);
  if (baseURL === undefined) return undefined;
  if (known.has(baseURL)) return known.get(baseURL);
  const { hostname, port, protocol } = URL.canParse(baseURL) ? new URL(baseURL) : NOWHERE;
  const server = hostname === '' ? undefined : { address: hostname, port: Number(port) || (PORTS[protocol] ?? 0) };
  if (known.size >= URLS_MAX) known.clear();
  known.set(baseURL, server);
  return server;
}

const NOWHERE = { hostname: '', port: '', protocol: '' };
