/** Clients a door has wrapped: taking one as a provider would run every call through the gateway twice. */
const wrapped = new WeakSet<object>();

export function markWrapped(client: object): void {
  wrapped.add(client);
}

export function isWrapped(client: object): boolean {
  return wrapped.has(client);
}
