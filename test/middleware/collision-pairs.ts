/** Pairs of requests that are nearly the same and must never share an answer. */
export type Pair = readonly [what: string, one: object, other: object];

const text = (value: string) => ({ type: 'text', text: value });
const user = (...parts: unknown[]) => ({
  role: 'user',
  content: parts.map((part) => (typeof part === 'string' ? text(part) : part)),
});
const call = (args: unknown) => ({ role: 'assistant', content: [{ type: 'tool-call', id: 'c1', name: 'look', args }] });
const BASE = { model: 'm', messages: [user('Hello')] };

/** Every place of a request in which a text or a value may stand. */
const TEXT_PLACES: Readonly<Record<string, (value: string) => object>> = {
  prompt: (value) => ({ ...BASE, messages: [user(value)] }),
  system: (value) => ({ ...BASE, system: [text(value)] }),
  'earlier turn': (value) => ({
    ...BASE,
    messages: [user(value), { role: 'assistant', content: [text('yes')] }, user('x')],
  }),
  'tool result': (value) => ({
    ...BASE,
    messages: [
      user('x'),
      call({}),
      { role: 'tool', content: [{ type: 'tool-result', callId: 'c1', name: 'look', content: value }] },
    ],
  }),
  'tool description': (value) => ({
    ...BASE,
    tools: [{ type: 'function', name: 'look', description: value, input: {} }],
  }),
};
const VALUE_PLACES: Readonly<Record<string, (value: unknown) => object>> = {
  argument: (value) => ({ ...BASE, messages: [user('x'), call({ at: value })] }),
  native: (value) => ({ ...BASE, native: { 'openai-chat': { at: value } } }),
  'output schema': (value) => ({ ...BASE, output: { type: 'schema', name: 'o', schema: { const: value } } }),
};

const day = (number: number): string => new Date(Date.UTC(2024, 0, 28 + number * 31)).toISOString().slice(0, 10);
/** Texts that differ in little. */
export const TEXTS: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  dates: Array.from(
    { length: 24 },
    (_, at) =>
      [`Rates on ${day(at)}`, `Rates on ${day(at).replace(/\d$/, (d) => String((Number(d) + 1) % 10))}`] as const,
  ),
  numbers: Array.from({ length: 24 }, (_, at) => [`Add ${at * 7} to it`, `Add ${at * 7 + 1} to it`] as const),
  signs: ['1', '0.5', '10 %', '3,000', '1e3', '0x10'].map(
    (number) => [`Move by ${number}`, `Move by -${number}`] as const,
  ),
  'ways to write': [
    ['1.0', '1'],
    ['1,000', '1000'],
    ['.5', '0.5'],
    ['01', '1'],
    ['1e3', '1000'],
    ['true', 'True'],
    ['a', 'A'],
    ['a b', 'a  b'],
    ['a', 'a '],
    ['a', ' a'],
    ['a\n', 'a'],
    ['a\r\n', 'a\n'],
    ['null', 'undefined'],
    ['""', "''"],
    ['“a”', '"a"'],
  ],
  unicode: [
    ['é', 'e\u0301'],
    ['\u212b', '\u00c5'],
    ['ﬁ', 'fi'],
    ['\u0430', 'a'],
    ['\uff21', 'A'],
    ['ς', 'σ'],
    ['a\u00a0b', 'a b'],
    ['a\u200bb', 'ab'],
    ['a\u00adb', 'ab'],
    ['\u202eabc', 'abc'],
    ['\ufeffa', 'a'],
    ['👍', '👎'],
    ['👍🏻', '👍🏿'],
    ['👨‍👩‍👧', '👨👩👧'],
    ['①', '1'],
    ['²', '2'],
    ['\u0000', ''],
    ['\ud800', '\ud801'],
    ['\ud800', '\ufffd'],
    ['\udc00\ud800', '\ud800\udc00'],
    ['東京', '东京'],
  ],
  'what looks like our own form': [
    ['=1:a', 'a'],
    ['a],U[=1:b', 'a'],
    ['",{', '"'],
    ['1:a1:b', '2:ab'],
    ['5:cache64:', '64:cache'],
    ['\\u0041', 'A'],
    ['{"type":"text","text":"a"}', 'a'],
  ],
};
const VALUES: readonly (readonly [unknown, unknown])[] = [
  [0, '0'],
  [1, '1'],
  [1, true],
  [0, false],
  [0, null],
  [false, null],
  ['', null],
  ['null', null],
  ['true', true],
  [[], null],
  [{}, null],
  [[], {}],
  [['a'], 'a'],
  [
    [1, 2],
    [2, 1],
  ],
  [[1, 2], [12]],
  [
    [[1], 2],
    [1, [2]],
  ],
  [[null], []],
  [['a,b'], ['a', 'b']],
  [{ a: 1 }, { b: 1 }],
  [{ a: null }, {}],
  [
    { a: 1, b: 2 },
    { a: 2, b: 1 },
  ],
  [{ a: { b: 1 } }, { 'a.b': 1 }],
  [{ a: [1] }, { a: { 0: 1 } }],
  [2 ** 53, 2 ** 53 - 1],
  [1e21, '1e21'],
  [-1, 1],
  [{ cache: 1 }, {}],
];
const FIELDS: readonly (readonly [string, readonly unknown[]])[] = [
  ...['parallelToolCalls', 'background'].map((name) => [name, [undefined, false, true]] as const),
  ...[
    'temperature',
    'topP',
    'topK',
    'minP',
    'presencePenalty',
    'frequencyPenalty',
    'seed',
    'n',
    'maxTokens',
    'logprobs',
  ].map((name) => [name, [undefined, 0, 1, 2, 0.5]] as const),
  ['stop', [undefined, ['a'], ['b'], ['a', 'b'], ['b', 'a'], ['ab']]],
  ['toolChoice', [undefined, 'auto', 'none', 'required', { tool: 'a' }, { tool: 'b' }, { allow: ['a'] }]],
  ['output', [undefined, { type: 'text' }, { type: 'json' }]],
  ['reasoning', [undefined, { effort: 'none' }, { effort: 'low' }, { effort: 'high' }, { budgetTokens: 1 }]],
  ['verbosity', [undefined, 'low', 'high']],
  ['tier', [undefined, 'flex', 'priority']],
  ['model', ['m', 'M', 'm ', 'm2']],
  ['truncation', [undefined, 'auto', 'disabled']],
  [
    'conversation',
    [undefined, { previousResponseId: 'a' }, { previousResponseId: 'b' }, { store: false }, { store: true }],
  ],
  [
    'system',
    [undefined, [], [text('')], [text('a'), text('b')], [text('b'), text('a')], [text('ab')], [text('a\n'), text('b')]],
  ],
];
const ROLES = ['user', 'assistant', 'developer', 'system', 'tool'];
const SHAPES: readonly object[][] = [
  [user('a'), user('b')],
  [user('b'), user('a')],
  [user('a', 'b')],
  [user('b', 'a')],
  [user('ab')],
  [user('a'), user('b'), user('')],
  [user('', 'a', 'b')],
  [user('a', '', 'b')],
  [user({ ...text('a'), native: { x: 1 } }, 'b')],
  [user({ type: 'file', source: { kind: 'text', text: 'a' } }, 'b')],
  [{ ...user('a'), name: 'b' }],
  [{ ...user('b'), name: 'a' }],
  [call({}), user('a')],
  [user('a'), call({})],
  [user({ type: 'image', source: { kind: 'url', url: 'https://x/a' } }, 'b')],
  [user({ type: 'image', source: { kind: 'url', url: 'https://x/b' } }, 'a')],
  [user({ type: 'image', source: { kind: 'base64', data: 'https://x/a' } }, 'b')],
  [user({ type: 'audio', source: { kind: 'url', url: 'https://x/a' } }, 'b')],
];
const TOOLS: readonly object[][] = [
  [
    { type: 'function', name: 'a', input: {} },
    { type: 'function', name: 'b', input: {} },
  ],
  [
    { type: 'function', name: 'b', input: {} },
    { type: 'function', name: 'a', input: {} },
  ],
  [{ type: 'function', name: 'ab', input: {} }],
  [{ type: 'function', name: 'a', description: 'b', input: {} }],
  [{ type: 'function', name: 'a', description: '', input: {} }],
  [{ type: 'function', name: 'a', input: {} }],
  [{ type: 'function', name: 'a', input: {}, strict: true }],
  [{ type: 'function', name: 'a', input: {}, strict: false }],
  [{ type: 'freeform', name: 'a' }],
  [{ type: 'hosted', tool: 'a' }],
  [{ type: 'function', name: 'a', input: { required: ['x', 'y'] } }],
  [{ type: 'function', name: 'a', input: { required: ['y', 'x'] } }],
];

/** Every two of a list. */
function pairsOf<T>(list: readonly T[]): (readonly [T, T])[] {
  return list.flatMap((one, at) => list.slice(at + 1).map((other) => [one, other] as const));
}

export function corpus(): Pair[] {
  const pairs: Pair[] = [];
  for (const [place, make] of Object.entries(TEXT_PLACES)) {
    for (const [kind, list] of Object.entries(TEXTS)) {
      for (const [one, other] of list)
        pairs.push([`${kind} in ${place}: ${JSON.stringify([one, other])}`, make(one), make(other)]);
    }
  }
  for (const [place, make] of Object.entries(VALUE_PLACES)) {
    for (const [one, other] of VALUES)
      pairs.push([`${place}: ${JSON.stringify([one, other])}`, make(one), make(other)]);
    for (const [value] of VALUES)
      pairs.push([`${place}: ${JSON.stringify(value)} or absent`, make(value), make(undefined)]);
  }
  for (const [name, values] of FIELDS) {
    for (const [one, other] of pairsOf(values)) {
      pairs.push([`${name}: ${JSON.stringify([one, other])}`, { ...BASE, [name]: one }, { ...BASE, [name]: other }]);
    }
  }
  for (const [one, other] of pairsOf(ROLES)) {
    const say = (role: string) => ({ ...BASE, messages: [{ role, content: [text('a')] }] });
    pairs.push([`roles ${one} and ${other}`, say(one), say(other)]);
  }
  for (const [name, lists] of [
    ['messages', SHAPES],
    ['tools', TOOLS],
  ] as const) {
    for (const [one, other] of pairsOf<unknown>(lists)) {
      pairs.push([`${name}: ${JSON.stringify([one, other])}`, { ...BASE, [name]: one }, { ...BASE, [name]: other }]);
    }
  }
  return pairs;
}
