import type { DoorEnvironment, EncodedResponse } from '../../core/dialect.ts';
import { shortHash } from '../../core/replay.ts';
import { arrayOf, recordOf } from '../../core/wire-json.ts';
import type { ChatResponse, Finish } from '../../operations/chat.ts';
import type { AssistantMessage } from '../../operations/chat-parts.ts';
import type { Json, Usage } from '../../operations/shared.ts';
import { type ItemContext, outputItems } from './door-items.ts';
import { PROTOCOL, type Wire, type Written } from './protocol.ts';
import { encodeUsage } from './usage.ts';

/** A canonical response as the body the application's SDK expects. */
export function encodeResponse(response: ChatResponse, environment: DoorEnvironment): EncodedResponse {
  const { origin } = response.message;
  const protocol = origin?.protocol ?? '';
  const id = responseId(response.id, protocol);
  const context = contextOf(origin, id, environment);
  const output = outputItems(response.message.content, context, response.logprobs);
  const body: Written = {
    ...shellOf({ ...response, id }, environment),
    ...outcomeOf(response.finish, output),
    output,
    ...tailOf(response.usage, response.tier),
    ...(protocol === PROTOCOL && (response.native?.[PROTOCOL] as Written | undefined)),
  };
  const headers = response.requestId === undefined ? {} : { 'x-request-id': response.requestId };
  return { status: 200, headers: { 'content-type': 'application/json', ...headers }, body };
}

export function contextOf(origin: AssistantMessage['origin'], seed: string, environment: DoorEnvironment): ItemContext {
  const include = arrayOf(recordOf(environment.request)?.['include']);
  return {
    origin: origin ?? { protocol: '', provider: '', model: '' },
    seed,
    seals: include.includes('reasoning.encrypted_content'),
  };
}

/** The provider's own id where it is one of this protocol, so that the application can go on from it. */
export function responseId(id: string, protocol: string): string {
  return protocol === PROTOCOL || id.startsWith('resp_') ? id : `resp_ptn_${shortHash(id)}`;
}

/** Fields that exist on every response, most of them the request's own; what it left out has the API's default. */
export function shellOf(
  facts: { readonly id: string; readonly model: string; readonly createdAt: string },
  environment: DoorEnvironment,
): Written {
  const request: Wire = recordOf(environment.request) ?? {};
  const echo = (name: string, otherwise: Json): Json => (request[name] as Json | undefined) ?? otherwise;
  const created = Date.parse(facts.createdAt);
  const reasoning = recordOf(request['reasoning']) ?? {};
  const text = recordOf(request['text']) ?? {};
  const { conversation } = request;
  return {
    id: facts.id,
    object: 'response',
    created_at: Math.floor((Number.isNaN(created) ? environment.nowMs : created) / 1000),
    status: 'in_progress',
    background: echo('background', false),
    error: null,
    incomplete_details: null,
    instructions: echo('instructions', null),
    max_output_tokens: echo('max_output_tokens', null),
    max_tool_calls: echo('max_tool_calls', null),
    model: facts.model,
    output: [],
    parallel_tool_calls: echo('parallel_tool_calls', true),
    previous_response_id: echo('previous_response_id', null),
    prompt_cache_key: echo('prompt_cache_key', null),
    reasoning: { effort: null, summary: null, ...(reasoning as Written) },
    safety_identifier: echo('safety_identifier', null),
    service_tier: echo('service_tier', 'auto'),
    store: echo('store', true),
    temperature: echo('temperature', 1),
    text: { format: { type: 'text' }, ...(text as Written) },
    tool_choice: echo('tool_choice', 'auto'),
    tools: echo('tools', []),
    top_logprobs: echo('top_logprobs', 0),
    top_p: echo('top_p', 1),
    truncation: echo('truncation', 'disabled'),
    usage: null,
    user: echo('user', null),
    metadata: echo('metadata', {}),
    ...(conversation !== undefined && {
      conversation: typeof conversation === 'string' ? { id: conversation } : (conversation as Json),
    }),
  };
}

export function tailOf(usage: Usage | undefined, tier: string | undefined): Written {
  const searches = usage?.units?.webSearch ?? 0;
  return {
    usage: usage === undefined ? null : encodeUsage(usage),
    ...(searches > 0 && { tool_usage: { web_search: { num_requests: searches } } }),
    ...(tier !== undefined && { service_tier: tier }),
  };
}

/** Status and its details: the inverse of reading a finish out of them. */
export function outcomeOf(finish: Finish, output: readonly Written[]): Written {
  switch (finish.reason) {
    case 'refusal':
      // One that says nothing would look like an answer without words.
      return output.some(refuses)
        ? { status: 'completed' }
        : { status: 'incomplete', incomplete_details: { reason: 'content_filter' } };
    case 'length':
    case 'context-length':
      return { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
    case 'content-filter':
      return { status: 'incomplete', incomplete_details: { reason: 'content_filter' } };
    case 'pause': {
      const known = finish.raw === 'steered' || finish.raw === 'max_messages';
      return { status: 'incomplete', incomplete_details: { reason: known ? (finish.raw as string) : 'max_messages' } };
    }
    case 'cancelled':
      return { status: 'cancelled' };
    case 'error':
      return { status: 'failed', error: { code: 'server_error', message: 'The model could not finish its answer.' } };
    default:
      return { status: 'completed' };
  }
}

function refuses(item: Written): boolean {
  return arrayOf(item['content']).some((entry) => recordOf(entry)?.['type'] === 'refusal');
}
