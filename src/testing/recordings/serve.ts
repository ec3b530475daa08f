import { canonicalJson } from '../../core/canonical-json.ts';
import { recordOf } from '../../core/wire-json.ts';
import { didYouMean } from '../../operations/problem.ts';
import { json } from '../http/models.ts';
import type { MockRequest } from '../http/request.ts';
import { send, type WirePlan } from '../wire/plan.ts';
import type { Endpoint, Recording } from './load.ts';

const ENDPOINT_OF: Readonly<Record<string, Endpoint>> = {
  '/chat/completions': 'chat-completions',
  '/responses': 'responses',
  '/messages': 'messages',
  '/messages/count_tokens': 'count-tokens',
  '/embeddings': 'embeddings',
};

/**
 * Serves recorded exchanges. A request finds its recording by the same body, or by naming it as its model
 * (`name` or `provider/name`), which works from every SDK.
 */
export function serveRecordings(
  recordings: readonly Recording[],
): (request: MockRequest) => Promise<WirePlan> | undefined {
  const byName = new Map<string, Recording>();
  for (const recording of recordings) {
    const { provider, name, endpoint, stream } = recording;
    byName.set(keyOf(endpoint, stream, `${provider}/${name}`), recording);
    byName.set(keyOf(endpoint, stream, name), recording);
  }
  return (request) => {
    const path = new URL(request.path, 'http://mock').pathname.replace(/^\/v1(?=\/)/, '').replace(/\/+$/, '');
    const endpoint = ENDPOINT_OF[path];
    if (endpoint === undefined || request.method !== 'POST') return undefined;
    return find(recordings, byName, endpoint, request);
  };
}

function keyOf(endpoint: Endpoint, stream: boolean, name: string): string {
  return `${endpoint} ${stream} ${name}`;
}

async function find(
  recordings: readonly Recording[],
  byName: ReadonlyMap<string, Recording>,
  endpoint: Endpoint,
  request: MockRequest,
): Promise<WirePlan> {
  const body = recordOf(request.body) ?? {};
  const stream = body['stream'] === true;
  const model = String(body['model']);
  const named = byName.get(keyOf(endpoint, stream, model));
  if (named !== undefined) return planOf(named);
  const wanted = canonicalJson(body);
  for (const recording of recordings) {
    if (recording.endpoint !== endpoint || recording.stream !== stream) continue;
    const recorded = await recording.request();
    if (recorded !== undefined && canonicalJson(recorded) === wanted) return planOf(recording);
  }
  const names = recordings.filter((one) => one.endpoint === endpoint && one.stream === stream).map(({ name }) => name);
  const message = `No recording of ${endpoint} (stream: ${stream}) has this body or is named ${model}.${didYouMean(model, names)}`;
  return json(404, { type: 'error', error: { type: 'not_found_error', message } });
}

/** A recorded answer, chunk by chunk. */
export async function planOf(recording: Recording): Promise<WirePlan> {
  const chunks = await recording.chunks();
  return { before: [], status: recording.status, headers: recording.headers, body: chunks.map(send) };
}
