import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';

export interface TcpProxyOptions {
  /** Where the real server is: `{ path }` or `{ host, port }`. */
  readonly target: NetConnectOpts;
  /** Socket to listen on. Left out: a free port of the loopback interface. */
  readonly path?: string;
}

/** What goes wrong, from now on. Everything left out goes well. */
export interface Toxics {
  /** Each piece of an answer arrives so much later, in order. */
  readonly latencyMs?: number;
  /** Nothing passes in either direction; connections stay open. */
  readonly hang?: boolean;
  /** New connections are closed at once. */
  readonly refuse?: boolean;
  /** Answers come in pieces of so many bytes. */
  readonly sliceBytes?: number;
}

export interface TcpProxy {
  /** What a client connects to. */
  readonly address: { readonly path: string } | { readonly host: string; readonly port: number };
  /** Replaces what goes wrong; `set({})` heals. What hung so far is passed on. */
  set(toxics: Toxics): void;
  /** Breaks every open connection. */
  reset(): void;
  close(): Promise<void>;
}

/** A wire with faults to order, for tests: between a client and a real server, nothing mocked. */
export async function tcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const links = new Set<Link>();
  let toxics: Toxics = {};
  const server = createServer((client) => {
    if (toxics.refuse === true) {
      client.destroy();
      return;
    }
    const link = new Link(client, connect(options.target), () => toxics);
    links.add(link);
    client.once('close', () => links.delete(link));
  });
  await listen(server, options.path);
  const bound = server.address();
  return {
    address:
      typeof bound === 'object' && bound !== null ? { host: '127.0.0.1', port: bound.port } : { path: String(bound) },
    set(next) {
      toxics = next;
      for (const link of links) link.pump();
    },
    reset() {
      for (const link of links) link.destroy();
    },
    async close() {
      for (const link of links) link.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(server: Server, path: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
}

/** One connection: what came from either side and may not pass yet. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #toxics: () => Toxics;
  readonly #toServer: Buffer[] = [];
  readonly #toClient: { readonly data: Buffer; readonly dueAt: number }[] = [];

  constructor(client: Socket, server: Socket, toxics: () => Toxics) {
    this.#client = client;
    this.#server = server;
    this.#toxics = toxics;
    client.on('data', (data) => {
      this.#toServer.push(data);
      this.pump();
    });
    server.on('data', (data) => {
      this.#toClient.push({ data, dueAt: performance.now() + (toxics().latencyMs ?? 0) });
      this.pump();
    });
    for (const socket of [client, server]) {
      socket.on('error', () => this.destroy());
      socket.on('close', () => this.destroy());
    }
  }

  destroy(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  /** Passes on what may pass now, and comes back for the rest. */
  pump(): void {
    const { hang, latencyMs = 0, sliceBytes } = this.#toxics();
    if (hang === true || this.#client.destroyed) return;
    for (const data of this.#toServer.splice(0)) this.#server.write(data);
    for (let next = this.#toClient[0]; next !== undefined; next = this.#toClient[0]) {
      // A proxy that was healed does not keep what it held back.
      const waitMs = Math.min(next.dueAt - performance.now(), latencyMs);
      if (waitMs > 0) {
        setTimeout(() => this.pump(), waitMs).unref();
        return;
      }
      this.#toClient.shift();
      this.#write(next.data, sliceBytes);
    }
  }

  #write(data: Buffer, sliceBytes = data.length): void {
    this.#client.setNoDelay?.(true);
    for (let from = 0; from < data.length; from += Math.max(1, sliceBytes)) {
      this.#client.write(data.subarray(from, from + Math.max(1, sliceBytes)));
    }
  }
}
