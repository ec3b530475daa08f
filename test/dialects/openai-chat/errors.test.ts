import { describe, expect, it } from 'vitest';
import { openaiChatDoor } from '../../../src/dialects/openai-chat/door.ts';
import { openaiChat } from '../../../src/dialects/openai-chat/index.ts';
import { environment, head } from './fixtures.ts';

const error = (fields: object) => ({ error: fields });
const said = (message: string, more: object = {}) =>
  error({ message, type: 'invalid_request_error', param: null, code: null, ...more });

/** Bodies as servers send them: status, body, our code. */
const CORPUS: readonly (readonly [name: string, status: number, body: unknown, code: string])[] = [
  [
    'OpenAI quota (X01, RET-04)',
    429,
    said('You exceeded your current quota', { type: 'insufficient_quota', code: 'insufficient_quota' }),
    'quota-exceeded',
  ],
  [
    'OpenAI rate limit',
    429,
    said('Rate limit reached', { type: 'tokens', code: 'rate_limit_exceeded' }),
    'rate-limited',
  ],
  ['OpenAI billing', 429, said('x', { code: 'billing_hard_limit_reached' }), 'quota-exceeded'],
  ['OpenAI key', 401, said('Incorrect API key provided', { code: 'invalid_api_key' }), 'authentication'],
  ['OpenAI country', 403, said('x', { code: 'unsupported_country_region_territory' }), 'permission'],
  ['OpenAI model', 404, said('x', { code: 'model_not_found' }), 'not-found'],
  [
    'OpenAI context (RET-14)',
    400,
    said("This model's maximum context length is 128000 tokens.", { code: 'context_length_exceeded' }),
    'context-too-long',
  ],
  ['OpenAI policy', 400, said('x', { code: 'content_policy_violation' }), 'content-filtered'],
  ['OpenAI invalid prompt', 400, said('x', { code: 'invalid_prompt' }), 'content-filtered'],
  [
    'OpenAI parameter',
    400,
    said('Unsupported parameter', { code: 'unsupported_parameter', param: 'temperature' }),
    'invalid-request',
  ],
  ['OpenAI slow down', 503, said('x', { type: 'server_error', code: 'slow_down' }), 'overloaded'],
  ['OpenAI failure', 500, said('x', { type: 'server_error' }), 'unavailable'],
  [
    'Azure filter',
    400,
    error({ code: 'content_filter', message: 'x', innererror: { code: 'ResponsibleAIPolicyViolation' } }),
    'content-filtered',
  ],
  ['Azure deployment', 404, error({ code: 'DeploymentNotFound', message: 'x' }), 'not-found'],
  [
    'Azure gateway',
    401,
    { statusCode: 401, message: 'Access denied due to invalid subscription key' },
    'authentication',
  ],
  ['Azure rate limit', 429, error({ code: '429', message: 'Please retry after 2 seconds' }), 'rate-limited'],
  [
    'vLLM context',
    400,
    {
      object: 'error',
      message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
      type: 'BadRequestError',
      code: 400,
    },
    'context-too-long',
  ],
  [
    'vLLM model',
    404,
    { object: 'error', message: 'The model `x` does not exist.', type: 'NotFoundError', code: 404 },
    'not-found',
  ],
  [
    'vLLM wrapped',
    400,
    error({
      message: 'Input length (9000) exceeds model maximum context length (4096).',
      type: 'BadRequestError',
      code: 400,
    }),
    'context-too-long',
  ],
  [
    'sglang',
    400,
    {
      object: 'error',
      message: "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
      type: 'BadRequestError',
      code: 400,
    },
    'context-too-long',
  ],
  [
    'llama.cpp',
    400,
    error({ code: 400, message: 'the request exceeds the available context size', type: 'exceed_context_size_error' }),
    'context-too-long',
  ],
  ['LM Studio', 400, { error: 'Trying to keep the first 5000 tokens when context the overflows.' }, 'context-too-long'],
  [
    'Ollama model',
    404,
    error({ message: "model 'x' not found, try pulling it first", type: 'api_error' }),
    'not-found',
  ],
  ['Ollama context', 400, { error: 'the input length exceeds the context length' }, 'context-too-long'],
  [
    'OpenRouter context',
    400,
    error({ message: "This endpoint's maximum context length is 8192 tokens.", code: 400 }),
    'context-too-long',
  ],
  ['OpenRouter credits', 402, error({ message: 'Insufficient credits', code: 402 }), 'quota-exceeded'],
  [
    'OpenRouter moderation',
    403,
    error({ code: 403, message: 'Input flagged', metadata: { reasons: ['hate'], flagged_input: 'x' } }),
    'content-filtered',
  ],
  [
    'OpenRouter upstream',
    429,
    error({
      code: 429,
      message: 'Provider returned error',
      metadata: { raw: 'x is temporarily rate-limited upstream' },
    }),
    'rate-limited',
  ],
  [
    'OpenRouter upstream JSON',
    400,
    error({
      code: 400,
      message: 'Provider returned error',
      metadata: { raw: '{"error":{"message":"prompt is too long: 9 tokens","type":"invalid_request_error"}}' },
    }),
    'context-too-long',
  ],
  [
    'Groq request too large',
    413,
    said('Request too large for model', { type: 'tokens', code: 'rate_limit_exceeded' }),
    'request-too-large',
  ],
  [
    'Groq context',
    400,
    said('Please reduce the length of the messages or completion.', { code: 'context_length_exceeded' }),
    'context-too-long',
  ],
  [
    'Mistral',
    422,
    {
      object: 'error',
      message: { detail: [{ type: 'missing', loc: ['body', 'messages'], msg: 'Field required' }] },
      type: 'invalid_request_error',
      code: null,
    },
    'invalid-request',
  ],
  [
    'Mistral detail',
    422,
    { detail: [{ loc: ['body', 'n'], msg: 'Input should be a valid integer', type: 'int_parsing' }] },
    'invalid-request',
  ],
  [
    'Mistral model',
    400,
    { object: 'error', message: 'Invalid model: x', type: 'invalid_model', code: '1500' },
    'not-found',
  ],
  [
    'Mistral context',
    400,
    {
      object: 'error',
      message: 'Prompt contains 40000 tokens, too large for model with 32768 maximum context length',
      type: 'invalid_request_error',
    },
    'context-too-long',
  ],
  [
    'Mistral capacity',
    429,
    {
      object: 'error',
      message: 'Service tier capacity exceeded for this model.',
      type: 'service_tier_capacity_exceeded',
      code: '3505',
    },
    'overloaded',
  ],
  [
    'DeepSeek balance',
    402,
    said('Insufficient Balance', { type: 'unknown_error', code: 'invalid_request_error' }),
    'quota-exceeded',
  ],
  ['Moonshot quota', 429, error({ message: 'x', type: 'exceeded_current_quota_error' }), 'quota-exceeded'],
  ['Moonshot overload', 429, error({ message: 'x', type: 'engine_overloaded_error' }), 'overloaded'],
  [
    'xAI key',
    400,
    { code: 'Client specified an invalid argument', error: 'Incorrect API key provided: xx.' },
    'authentication',
  ],
  [
    'xAI prompt',
    400,
    { code: 'x', error: "This model's maximum prompt length is 131072 but the request contains 537812 tokens." },
    'context-too-long',
  ],
  ['Alibaba inspection', 400, error({ code: 'data_inspection_failed', message: 'x' }), 'content-filtered'],
  ['Z.AI balance', 429, error({ code: '1113', message: 'Insufficient balance' }), 'quota-exceeded'],
  [
    'Gemini array',
    400,
    [
      error({
        code: 400,
        message: 'API key not valid.',
        status: 'INVALID_ARGUMENT',
        details: [{ reason: 'API_KEY_INVALID' }],
      }),
    ],
    'authentication',
  ],
  [
    'Gemini daily quota',
    429,
    [
      error({
        code: 429,
        message: 'x',
        status: 'RESOURCE_EXHAUSTED',
        details: [{ violations: [{ quotaId: 'GenerateRequestsPerDayPerProject' }] }],
      }),
    ],
    'quota-exceeded',
  ],
  [
    'Gemini tokens',
    400,
    [
      error({
        code: 400,
        message: 'The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).',
        status: 'INVALID_ARGUMENT',
      }),
    ],
    'context-too-long',
  ],
  [
    'Together',
    422,
    error({
      message: 'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4097.',
      type: 'invalid_request_error',
    }),
    'context-too-long',
  ],
  [
    'Cerebras',
    429,
    { message: 'Too many requests', type: 'too_many_requests_error', param: 'quota', code: 'request_quota_exceeded' },
    'rate-limited',
  ],
  ['a proxy page', 502, '<html><head><title>502 Bad Gateway</title></head></html>', 'unavailable'],
  ['plain text', 503, 'upstream connect error', 'overloaded'],
  ['nothing', 500, undefined, 'unavailable'],
  ['a redirect', 302, '', 'bad-response'],
  ['an error in a 200', 200, error({ message: 'x', code: 502 }), 'unavailable'],
  ['an overload in a 200', 200, error({ message: 'x', type: 'overloaded_error' }), 'overloaded'],
  ['a bad request in a 200', 200, error({ message: 'x', type: 'invalid_request_error' }), 'invalid-request'],
];

/** What a body says by itself, without the status. */
const SAID_BY_BODY = new Set(['context-too-long', 'content-filtered', 'quota-exceeded']);

describe('decodeError', () => {
  it('RET-14: knows at least forty bodies of at least ten servers', () => {
    expect(CORPUS.length).toBeGreaterThanOrEqual(40);
    expect(new Set(CORPUS.map(([name]) => name.split(' ')[0])).size).toBeGreaterThanOrEqual(10);
  });

  it.each(CORPUS.filter(([, , , code]) => SAID_BY_BODY.has(code)))(
    'RET-14: %s, inside a stream that began with 200',
    (_name, _status, body, code) => {
      expect(openaiChat.decodeError(body, head(200), environment()).code).toBe(code);
    },
  );

  it.each(CORPUS)('RET-14: %s', (_name, status, body, code) => {
    const decoded = openaiChat.decodeError(body, head(status), environment());
    expect(decoded.code).toBe(code);
    expect(decoded.status).toBeGreaterThanOrEqual(300);
    expect(decoded.source).toBe('provider');
  });

  it('keeps the words of a server out of message and JSON', () => {
    const decoded = openaiChat.decodeError(
      said('Incorrect API key provided: sk-secret', { code: 'invalid_api_key' }),
      head(401),
      environment(),
    );
    expect(JSON.stringify(decoded) + decoded.message).not.toContain('sk-secret');
    expect(decoded.providerMessage).toContain('sk-secret');
    expect(decoded.providerCode).toBe('invalid_api_key');
  });

  it('reads how long to wait from headers first, then details, then the message', () => {
    const wait = (body: unknown, headers = {}) =>
      openaiChat.decodeError(body, head(429, headers), environment()).retryAfterMs;
    const details = error({ message: 'x', status: 'RESOURCE_EXHAUSTED', details: [{ retryDelay: '37s' }] });
    expect(wait(details)).toBe(37_000);
    expect(wait(details, { 'retry-after': '2' })).toBe(2_000);
    expect(wait(said('Please try again in 1m2.5s.', { code: 'rate_limit_exceeded' }))).toBe(62_500);
  });

  it('tells error bodies from answers', () => {
    for (const body of [error({ message: 'x' }), { object: 'error', message: 'x' }, { detail: 'x' }, [error({})]])
      expect(openaiChat.isError(body)).toBe(true);
    for (const body of [{ choices: [], error: null }, { data: [] }, null, 'x', []])
      expect(openaiChat.isError(body)).toBe(false);
  });
});

describe('encodeError', () => {
  it('answers what the SDK raises its own class for, and tells it not to retry (P04)', () => {
    const decoded = openaiChat.decodeError(
      said('x', { code: 'rate_limit_exceeded' }),
      head(429, { 'retry-after': '2', 'x-request-id': 'r1' }),
      environment(),
    );
    const encoded = openaiChatDoor.encodeError(decoded, { headers: {}, nowMs: 0 });
    expect(encoded.status).toBe(429);
    expect(encoded.headers).toMatchObject({
      'x-should-retry': 'false',
      'retry-after-ms': '2000',
      'retry-after': '2',
      'x-request-id': 'r1',
    });
    expect(encoded.body).toEqual({
      error: { message: decoded.message, type: 'rate_limit_error', param: null, code: 'rate_limit_exceeded' },
    });
  });

  it.each(CORPUS.filter(([, status]) => status >= 400))(
    'comes back as the same failure: %s',
    (_name, status, body, code) => {
      const decoded = openaiChat.decodeError(body, head(status), environment());
      const { status: wire, body: written } = openaiChatDoor.encodeError(decoded, { headers: {}, nowMs: 0 });
      expect(openaiChat.decodeError(written, head(wire), environment()).code).toBe(code);
    },
  );
});
