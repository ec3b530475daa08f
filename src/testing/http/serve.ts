import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers';
import type { AddressInfo, Socket } from 'node:net';
import { type Clock, sleep } from '../../core/clock.ts';
import type { WirePlan, WireStep } from '../wire/plan.ts';
import { bodyOf, type MockRequest, type OpenRequest } from './request.ts';

export interface Serving {
  readonly port: number;
  readonly requests: readonly MockRequest[];
  close(): Promise<void>;
}

export interface ServeOptions {
  readonly port: number;
  readonly clock: Clock;
  readonly answer: (request: MockRequest) => Promise<WirePlan>;
  /** A client went away in the middle of an answer. */
  readonly onClose?: (request: MockRequest) => void;
}

/** Real milliseconds between pieces that have to arrive one by one: enough for the loopback interface. */
const SPACE_MS = 4;

/** A loopback HTTP server that plays plans over real sockets. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const requests: OpenRequest[] = [];
  const stopping = new AbortController();
  const server = createServer((incoming, outgoing) => {
    void handle(incoming, outgoing, options, requests, stopping.signal).catch(() => outgoing.destroy());
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    close: () => stop(server, sockets, stopping),
  };
}

function stop(server: Server, sockets: ReadonlySet<Socket>, stopping: AbortController): Promise<void> {
  stopping.abort(new Error('The server was closed.'));
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}

async function handle(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: ServeOptions,
  requests: OpenRequest[],
  stopping: AbortSignal,
): Promise<void> {
  let text = '';
  incoming.setEncoding('utf8');
  for await (const chunk of incoming) text += chunk as string;
  const request: OpenRequest = {
    method: incoming.method ?? 'GET',
    path: incoming.url ?? '/',
    headers: headersOf(incoming),
    body: bodyOf(text),
    closedEarly: false,
  };
  requests.push(request);
  const gone = new AbortController();
  const leave = (): void => gone.abort(stopping.reason);
  stopping.addEventListener('abort', leave, { once: true });
  outgoing.on('close', () => {
    stopping.removeEventListener('abort', leave);
    if (!outgoing.writableFinished && !stopping.aborted && !gone.signal.aborted) {
      request.closedEarly = true;
      options.onClose?.(request);
    }
    gone.abort();
  });
  const plan = await options.answer(request);
  await play(plan, outgoing, options.clock, gone);
}

async function play(plan: WirePlan, outgoing: ServerResponse, clock: Clock, gone: AbortController): Promise<void> {
  for (const step of plan.before) if (!(await playStep(step, outgoing, clock, gone))) return;
  if (gone.signal.aborted) return;
  outgoing.writeHead(plan.status, { ...plan.headers });
  // Headers go out at once: a real provider sends them long before the first content.
  outgoing.flushHeaders();
  for (const step of plan.body) {
    if (!(await playStep(step, outgoing, clock, gone))) return;
    if (plan.spaced === true) await new Promise((resolve) => void setTimeout(resolve, SPACE_MS));
  }
  outgoing.end();
}

/** Whether there is more to do. */
async function playStep(
  step: WireStep,
  outgoing: ServerResponse,
  clock: Clock,
  gone: AbortController,
): Promise<boolean> {
  const { signal } = gone;
  if (signal.aborted) return false;
  switch (step.do) {
    case 'send':
      if (!outgoing.write(step.bytes)) await drained(outgoing, signal);
      return !signal.aborted;
    case 'wait':
      await sleep(clock, step.ms, signal).catch(() => undefined);
      return !signal.aborted;
    case 'ping':
      while (!signal.aborted) {
        await sleep(clock, step.everyMs, signal).catch(() => undefined);
        if (!signal.aborted) outgoing.write(step.text);
      }
      return false;
    case 'hang':
      return false;
    case 'end':
      outgoing.end();
      return false;
    default:
      // It is us who leave: the client did not close early.
      gone.abort();
      outgoing.socket?.resetAndDestroy();
      return false;
  }
}

function drained(outgoing: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    outgoing.once('drain', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function headersOf(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}
