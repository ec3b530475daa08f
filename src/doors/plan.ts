import { type Candidate, OWN_PROVIDER, type Plan } from '../core/call.ts';
import { invalidRequest } from '../core/errors.ts';
import type { Provider } from '../core/provider.ts';
import { compileRegistry, type Registry } from '../core/registry.ts';
import { type GroupNode, mapCandidates } from '../core/routing/node.ts';
import type { OperationName } from '../operations/index.ts';
import type { Protocol } from '../operations/shared.ts';
import type { DoorHost } from './host.ts';

/** Who answers a protocol when the request names only a model. */
const VENDORS: Readonly<Record<string, string>> = {
  'openai-chat': 'openai',
  'openai-responses': 'openai',
  'anthropic-messages': 'anthropic',
};

export function vendorOf(protocol: Protocol): string {
  return VENDORS[protocol] ?? protocol;
}

/** A wrapped client's call: an alias of this name, else the client itself, whatever its base URL serves. */
export function planOfClient(host: DoorHost, model: string, operation: OperationName, own: Provider): Plan {
  const registry = host.registry();
  if (!registry.aliases.includes(model)) return ownPlan(model, own, registry.revision);
  if (host.providers.has(own.name)) return registry.resolve(model, operation);
  // Inside the alias the client goes by its vendor's name, when no provider has that name.
  const plan = withOwn(host, registry, own).resolve(model, operation);
  const mapped = (one: Candidate): Candidate => (one.provider === own.name ? owned(one, own) : one);
  const strategy = plan.strategy && (mapCandidates(plan.strategy, mapped) as GroupNode);
  return { ...plan, candidates: plan.candidates.map(mapped), ...(strategy !== undefined && { strategy }) };
}

/** A call through `gateway.fetch`: an alias, `provider/model` of a configured provider, else the vendor of its protocol. */
export function planOfFetch(
  host: DoorHost,
  model: string,
  operation: OperationName,
  protocol: Protocol,
  own: Provider,
): Plan {
  const registry = host.registry();
  if (model === '') throw invalidRequest('model', 'a model name is needed.');
  if (registry.aliases.includes(model)) return registry.resolve(model, operation);
  const slash = model.indexOf('/');
  if (slash > 0 && host.providers.has(model.slice(0, slash))) return registry.resolve(model, operation);
  const lists = [...host.providers.values()].filter((provider) => provider.models?.().includes(model));
  if (lists.length === 1) return registry.resolve(model, operation);
  const vendor = configuredVendor(host, protocol);
  if (vendor !== undefined) return registry.resolve(`${vendor.name}/${model}`, operation);
  return ownPlan(model, own, registry.revision);
}

/** The configured provider that stands for a protocol's vendor: the one of its name, or the only one that speaks it. */
export function configuredVendor(host: DoorHost, protocol: Protocol): Provider | undefined {
  const named = host.providers.get(vendorOf(protocol));
  if (named !== undefined) return named;
  const speaking = [...host.providers.values()].filter((provider) => provider.protocols.includes(protocol));
  return speaking.length === 1 ? speaking[0] : undefined;
}

export function ownPlan(model: string, own: Provider, revision: number): Plan {
  const id = `${own.identity ?? own.name}/${model}`;
  return { candidates: [owned({ provider: own.name, model, id }, own)], losers: [], revision };
}

function owned(candidate: Candidate, own: Provider): Candidate {
  return { ...candidate, [OWN_PROVIDER]: own };
}

/** The configuration compiled once more with the client among the providers; kept until the configuration changes. */
const compiled = new WeakMap<Registry, Map<string, Registry>>();

function withOwn(host: DoorHost, registry: Registry, own: Provider): Registry {
  const known = compiled.get(registry) ?? new Map<string, Registry>();
  compiled.set(registry, known);
  const key = `${own.name} ${own.identity}`;
  let found = known.get(key);
  if (found === undefined) {
    const providers = new Map([...host.providers, [own.name, own] as const]);
    found = compileRegistry(registry.models, providers, registry.revision);
    // Keys rotate; the newest few are enough.
    if (known.size >= IDENTITIES_MAX) known.clear();
    known.set(key, found);
  }
  return found;
}
const IDENTITIES_MAX = 100;
