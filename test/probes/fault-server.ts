import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that misbehaves in one way at a time, for looking at how the SDKs behave. */
export interface FaultServer {
  readonly url: string;
  hits: number;
  bodies: string[];
  headers: IncomingMessage['headers'][];
  mode: (request: IncomingMessage, response: ServerResponse) => void;
  close(): Promise<void>;
}

export async function faultServer(): Promise<FaultServer> {
  const open: FaultServer = {
    url: '',
    hits: 0,
    bodies: [],
    headers: [],
    mode: (_request, response) => response.end(),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (data: Buffer) => (body += data.toString()));
    request.on('end', () => {
      open.hits++;
      open.bodies.push(body);
      open.headers.push(request.headers);
      open.mode(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(open, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

export const json =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
/** Server-sent events, then what `after` does with the open response. */
export const events =
  (
    list: readonly (readonly [event: string | undefined, data: string])[],
    after: (response: ServerResponse) => void = (response) => response.end(),
  ) =>
  (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const [event, data] of list)
      response.write(`${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`);
    // The events first, then the fault: a reset would otherwise overtake them.
    setTimeout(() => after(response), 20);
  };
