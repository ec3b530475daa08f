/** Clients a door has wrapped, and the functions it put into them: a clone of a wrapped client carries those on. */
const wrapped = new WeakSet<object>();

export function markWrapped(clientOrSeam: object): void {
  wrapped.add(clientOrSeam);
}

/** Whether a client's calls go through a gateway already: taking it as a provider would send them round twice. */
export function isWrapped(client: object): boolean {
  if (wrapped.has(client)) return true;
  const { fetch, middleware } = client as { fetch?: unknown; middleware?: unknown };
  const seams: readonly unknown[] = [fetch, ...(Array.isArray(middleware) ? middleware : [])];
  return seams.some((seam) => typeof seam === 'function' && wrapped.has(seam));
}
