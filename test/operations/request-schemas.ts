import { z } from 'zod';

/** What a request is, written a second time as zod schemas: the hand-written checks are compared with them. */
const ttl = z.enum(['5m', '30m', '1h', '12h', '24h']);
const hint = z.union([z.literal(true), z.looseObject({ ttl: ttl.optional() })]);
const words = z.string().min(1);
const object = z.record(z.string(), z.unknown());
const native = z.record(z.string(), object);
const whole = z.number().refine(Number.isInteger);
const wholeFrom = (low: number) => whole.min(low);
const base = { cache: hint.optional(), native: native.optional(), stamp: z.string().optional() };
const part = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  z.looseObject({ type: z.literal(type), ...base, ...shape });

const source = z.union([
  z.instanceof(Uint8Array),
  z.instanceof(URL).refine((url) => /^(https?|gs|s3):$/.test(url.protocol)),
  z.string().regex(/^(data:[^;,]*(;[^,]*)?;base64,|(https?|gs|s3):\/\/)/),
  z.looseObject({ kind: z.literal('base64'), data: z.string() }),
  z.looseObject({ kind: z.literal('url'), url: z.string() }),
  z.looseObject({ kind: z.literal('file'), id: z.string() }),
  z.looseObject({ kind: z.literal('text'), text: z.string() }),
]);
const executor = z.enum(['client', 'provider']).optional();
const text = part('text', {
  text: z.string(),
  citations: z.array(z.unknown()).optional(),
  phase: z.enum(['commentary', 'final']).optional(),
});
const media = { source, mediaType: z.string().optional() };
const image = part('image', { ...media, detail: z.enum(['auto', 'low', 'high', 'original']).optional() });
const audio = part('audio', { ...media, transcript: z.string().optional(), id: z.string().optional() });
const number = z.number().optional();
const video = part('video', { ...media, startMs: number, endMs: number, fps: number });
const file = part('file', {
  ...media,
  filename: z.string().optional(),
  title: z.string().optional(),
  context: z.string().optional(),
  cite: z.boolean().optional(),
});
const nativePart = z.looseObject({
  type: z.literal('native'),
  protocol: z.string(),
  fallbackText: z.string().optional(),
  native: native.optional(),
});
const approval = part('approval-response', {
  requestId: z.string(),
  approved: z.boolean(),
  reason: z.string().optional(),
});
const reasoning = part('reasoning', {
  text: z.string(),
  form: z.enum(['full', 'summary', 'redacted']).optional(),
  sealed: object.optional(),
  id: z.string().optional(),
});
const refusal = part('refusal', { text: z.string(), category: z.string().optional() });
const call = part('tool-call', {
  id: z.string(),
  name: z.string(),
  argsText: z.string().optional(),
  invalid: object.optional(),
  executor,
  server: z.string().optional(),
  callerId: z.string().optional(),
  sealed: object.optional(),
});
const json = z.looseObject({ type: z.literal('json'), native: native.optional() });
const result = part('tool-result', {
  callId: z.string(),
  name: z.string().optional(),
  content: z.union([z.string(), z.array(z.union([text, image, audio, video, file, json]))]),
  isError: z.boolean().optional(),
  executor,
});
const request = part('approval-request', { id: z.string(), name: z.string(), server: z.string().optional() });

const shared = { name: z.string().optional(), cache: hint.optional(), native: native.optional() };
const content = <P extends z.ZodType>(item: P) => z.union([z.string(), z.array(item)]);
const input = z.union([text, image, audio, video, file, approval, nativePart]);
const message = z.union([
  z.looseObject({
    role: z.enum(['system', 'developer']),
    content: content(z.union([text, nativePart])),
    ...shared,
  }),
  z.looseObject({ role: z.literal('user'), content: content(input), ...shared }),
  z.looseObject({
    role: z.literal('assistant'),
    content: content(z.union([text, reasoning, refusal, call, result, image, audio, video, file, request, nativePart])),
    origin: object.optional(),
    prefix: z.boolean().optional(),
    ...shared,
  }),
  z.looseObject({ role: z.literal('tool'), content: z.array(z.union([result, nativePart])), ...shared }),
]);

const standard = z.custom<object>((value) => typeof value === 'object' && value !== null && '~standard' in value);
const schema = z.union([standard, object]);
const common = { description: z.string().optional(), cache: hint.optional(), native: native.optional() };
const texts = z.array(z.string()).optional();
const tool = z.union([
  z.looseObject({
    type: z.literal('function').optional(),
    name: words,
    input: schema.optional(),
    output: schema.optional(),
    strict: z.boolean().optional(),
    examples: z.array(object).optional(),
    defer: z.boolean().optional(),
    run: z.never().optional(),
    ...common,
  }),
  z.looseObject({
    type: z.literal('freeform'),
    name: words,
    grammar: z
      .looseObject({ syntax: z.enum(['lark', 'regex']).optional(), definition: z.string().optional() })
      .optional(),
    ...common,
  }),
  z.looseObject({
    type: z.literal('hosted'),
    tool: words,
    name: z.string().optional(),
    maxUses: wholeFrom(0).optional(),
    allowedDomains: texts,
    blockedDomains: texts,
    storeIds: texts,
    location: z.record(z.string(), z.string()).optional(),
    native: native.optional(),
  }),
  z.looseObject({
    type: z.literal('mcp'),
    server: words,
    url: z.string().optional(),
    connectorId: z.string().optional(),
    authorization: z.string().optional(),
    headers: z.record(z.string(), z.string()).optional(),
    allow: texts,
    approval: z.union([z.enum(['always', 'never']), z.looseObject({ never: texts, always: texts })]).optional(),
    native: native.optional(),
  }),
]);
const FORMATS = ['text', 'json', 'schema', 'choice', 'regex', 'grammar'];
const output = z.union([
  z.enum(['text', 'json']),
  standard,
  z.looseObject({ type: z.enum(['text', 'json']) }),
  z.looseObject({
    type: z.literal('schema'),
    schema,
    name: words.optional(),
    description: z.string().optional(),
    strict: z.boolean().optional(),
    via: z.enum(['auto', 'native', 'tool', 'prompt']).optional(),
    native: native.optional(),
  }),
  z.looseObject({ type: z.literal('choice'), options: z.array(z.string()) }),
  z.looseObject({ type: z.literal('regex'), pattern: z.string() }),
  z.looseObject({ type: z.literal('grammar'), syntax: z.string(), definition: z.string() }),
  object.refine((value) => !FORMATS.includes(value['type'] as string)),
]);
const effort = z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']);
const toolChoice = z.union([
  z.enum(['auto', 'none', 'required']),
  z
    .looseObject({
      tool: words.optional(),
      allow: z.array(words).optional(),
      mode: z.enum(['auto', 'required']).optional(),
    })
    .refine(({ tool: one, allow }) => one !== undefined || allow !== undefined),
]);

const fields = z.strictObject({
  model: words,
  prompt: content(input),
  system: content(text),
  messages: z.array(message),
  tools: z.array(tool),
  toolChoice,
  parallelToolCalls: z.boolean(),
  maxToolCalls: wholeFrom(0),
  output,
  reasoning: z.union([
    effort,
    z.literal(false),
    z.looseObject({
      effort: effort.optional(),
      budgetTokens: wholeFrom(0).optional(),
      show: z.enum(['none', 'summary', 'detailed']).optional(),
    }),
  ]),
  verbosity: z.enum(['low', 'medium', 'high']),
  maxTokens: wholeFrom(0),
  temperature: z.number().min(0).max(2),
  topP: z.number().min(0).max(1),
  topK: wholeFrom(0),
  minP: z.number().min(0).max(1),
  presencePenalty: z.number().min(-2).max(2),
  frequencyPenalty: z.number().min(-2).max(2),
  repetitionPenalty: z.number().min(0).max(10),
  logitBias: z.record(z.string(), z.number()),
  stop: z.union([words, z.array(words)]),
  seed: whole,
  n: wholeFrom(1),
  logprobs: z.union([z.boolean(), wholeFrom(0)]),
  modalities: z.array(z.enum(['text', 'image', 'audio'])),
  audio: z.looseObject({ voice: z.string().optional(), format: z.string().optional() }),
  prediction: words,
  cache: z.looseObject({
    key: z.string().optional(),
    ttl: ttl.optional(),
    mode: z.enum(['auto', 'explicit', 'off']).optional(),
  }),
  tier: words,
  user: words,
  metadata: z.record(z.string(), z.string()),
  conversation: z.looseObject({
    previousResponseId: z.string().optional(),
    id: z.string().optional(),
    store: z.boolean().optional(),
  }),
  background: z.boolean(),
  truncation: z.enum(['auto', 'disabled', 'compact']),
  native,
});

/** A chat request, sugar included. Whether results follow their calls is beyond a schema: see the test. */
export const chatSchema = fields
  .partial()
  .refine(({ prompt, messages }) => prompt !== undefined || (messages ?? []).length > 0);

export const embedSchema = z.strictObject({
  model: words.optional(),
  input: z.union([z.string(), z.array(z.string()).min(1)]),
  purpose: words.optional(),
  dimensions: wholeFrom(1).optional(),
  encoding: z.enum(['float', 'base64', 'int8', 'uint8', 'binary', 'ubinary']).optional(),
  user: words.optional(),
  native: native.optional(),
});
