import { GatewayError, invalidOptions } from '../core/errors.ts';
import { estimateTokens } from '../operations/estimate-tokens.ts';
import { splitRuns } from './split-runs.ts';

/** The part of gpt-tokenizer that is used. */
interface Encoding {
  countTokens(text: string): number;
}
type CountChat = (request: ChatPrompt, count: (text: string) => number) => number;

/** The parts of an OpenAI chat request that make up its prompt, as they go over the wire. */
export interface ChatPrompt {
  readonly messages: readonly object[];
  readonly functions?: readonly object[];
  readonly function_call?: 'auto' | 'none' | { readonly name: string };
}
/** One caught import per encoding, so that a bundle without the peer works and only what is asked for is loaded. */
const ENCODINGS: Readonly<Record<EncodingName, () => Promise<Encoding>>> = {
  o200k_base: () => import('gpt-tokenizer/encoding/o200k_base'),
  o200k_harmony: () => import('gpt-tokenizer/encoding/o200k_harmony'),
  cl100k_base: () => import('gpt-tokenizer/encoding/cl100k_base'),
  p50k_base: () => import('gpt-tokenizer/encoding/p50k_base'),
  p50k_edit: () => import('gpt-tokenizer/encoding/p50k_edit'),
  r50k_base: () => import('gpt-tokenizer/encoding/r50k_base'),
};
// Spelt out: the declarations of an optional peer must not be needed to read ours.
export type EncodingName = 'o200k_base' | 'o200k_harmony' | 'cl100k_base' | 'p50k_base' | 'p50k_edit' | 'r50k_base';

export interface GptCounterOptions {
  /** @defaultValue that of `model`, else `o200k_base` */
  readonly encoding?: EncodingName;
  /** A model of OpenAI; its encoding is taken. */
  readonly model?: string;
  /**
   * Characters of one text that are counted exactly; what is beyond is estimated.
   *
   * @defaultValue 400_000
   */
  readonly inputCharactersMax?: number;
  /**
   * Longest run of one character class given to the encoder whole. Longer ones are cut there, which may count a
   * token too many at each cut, and bounds the time of hostile text. At most 1,000.
   *
   * @defaultValue 400
   */
  readonly runMax?: number;
}

export interface TokenCounter {
  readonly encoding: EncodingName;
  count(text: string): number;
  /** The count, and whether the whole text was encoded. */
  measure(text: string): { readonly tokens: number; readonly exact: boolean };
  /**
   * Prompt tokens of a whole OpenAI chat request with `functions`, in the form the models before tools saw. `undefined`
   * if the installed gpt-tokenizer does not know that format.
   */
  countChat(prompt: ChatPrompt): number | undefined;
}

const RUN_MAX = 1000;

/**
 * An exact counter for OpenAI's models over the optional package `gpt-tokenizer`. Other vendors' models tokenise
 * differently: use their counting endpoint, or the estimate.
 *
 * @throws GatewayError `unsupported` if the package is not installed.
 */
export async function gptCounter(options: GptCounterOptions = {}): Promise<TokenCounter> {
  const { inputCharactersMax = 400_000, runMax = 400 } = options;
  if (!(inputCharactersMax >= 0)) throw invalidOptions('inputCharactersMax', 'must be 0 or more characters.');
  if (!(runMax >= 16 && runMax <= RUN_MAX)) throw invalidOptions('runMax', 'must be from 16 to 1000 characters.');
  const name = options.encoding ?? (options.model === undefined ? 'o200k_base' : encodingOf(options.model));
  if (!Object.hasOwn(ENCODINGS, name)) throw invalidOptions('encoding', `no encoding is called "${name}".`);
  const encoding = await load(name);
  const countChat = await loadChatFormat();
  const measure = (text: string): { tokens: number; exact: boolean } => {
    const exact = text.length <= inputCharactersMax;
    let tokens = 0;
    for (const piece of splitRuns(exact ? text : text.slice(0, inputCharactersMax), runMax))
      tokens += encoding.countTokens(piece);
    if (!exact) tokens += estimateTokens(text.slice(inputCharactersMax));
    return { tokens, exact };
  };
  const count = (text: string): number => measure(text).tokens;
  return { encoding: name, measure, count, countChat: (prompt) => countChat?.(prompt, count) };
}

async function load(name: EncodingName): Promise<Encoding> {
  try {
    return await ENCODINGS[name]();
  } catch (cause) {
    throw new GatewayError('unsupported', 'gptCounter needs the package gpt-tokenizer: npm install gpt-tokenizer.', {
      cause,
    });
  }
}

/** Only version 4 has it; the counter works without. */
async function loadChatFormat(): Promise<CountChat | undefined> {
  try {
    const format = await import('gpt-tokenizer/functionCalling');
    return format.computeChatCompletionTokenCount as unknown as CountChat;
  } catch {
    return undefined;
  }
}

/** From gpt-tokenizer's table of models, read 2026-11-22; newer models use the newest encoding. */
function encodingOf(model: string): EncodingName {
  const name = model.slice(model.lastIndexOf('/') + 1);
  if (name.startsWith('gpt-oss')) return 'o200k_harmony';
  if (/^(?:gpt-4o|gpt-4\.|chatgpt-4o)/.test(name)) return 'o200k_base';
  if (/^(?:gpt-4|gpt-3\.5|text-embedding-)/.test(name)) return 'cl100k_base';
  if (/^(?:text-davinci-edit|code-davinci-edit)/.test(name)) return 'p50k_edit';
  if (/^(?:text-davinci-00[23]|code-)/.test(name)) return 'p50k_base';
  if (/^(?:davinci|curie|babbage|ada|text-)/.test(name)) return 'r50k_base';
  return 'o200k_base';
}
