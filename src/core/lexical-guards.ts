import {
  EMPTY_WORDS,
  GOVERNING_WORDS,
  JOINING_WORDS,
  NEGATIONS,
  NUMBERS,
  PERSONS,
  SYNONYMS,
  WEAK_GOVERNING_WORDS,
} from './lexical-words.ts';

/** What a guard can find. */
export type GuardName = 'numbers' | 'names' | 'negation' | 'words' | 'order';
export const GUARD_NAMES: readonly GuardName[] = ['numbers', 'names', 'negation', 'words', 'order'];

/** A text as the guards see it. */
export interface LexicalForm {
  /** Numbers, in order. */
  readonly numbers: readonly string[];
  /** Names, codes and quoted things, sorted. */
  readonly names: readonly string[];
  readonly negations: number;
  /** Words that mean something, normalised, in order. */
  readonly words: readonly string[];
  /** Governing words that are never interchangeable, each with the word it governs, in order. */
  readonly governed: readonly string[];
  /** Phrases, each with what governs it, sorted. */
  readonly phrases: readonly string[];
}

/**
 * Why two texts that look alike to an embedding must not be taken for the same; `undefined` if no guard objects.
 * Embeddings hardly see a changed number, a swapped name, a "not" or two words that changed places.
 */
export function guardAgainst(
  one: LexicalForm,
  other: LexicalForm,
  guards: ReadonlySet<GuardName>,
): GuardName | undefined {
  if (guards.has('numbers') && !sameList(sorted(one.numbers), sorted(other.numbers))) return 'numbers';
  if (guards.has('names') && !(namesIn(one, other) && namesIn(other, one))) return 'names';
  if (guards.has('negation') && one.negations !== other.negations) return 'negation';
  if (guards.has('words') && isEdited(one, other)) return 'words';
  if (guards.has('order') && isReordered(one, other)) return 'order';
  return undefined;
}

/** What one of them names the other mentions, whatever its capitals. */
function namesIn(one: LexicalForm, other: LexicalForm): boolean {
  return one.names.every((name) => other.words.includes(name));
}

/**
 * A few words changed is another question; many changed, with the same numbers and names, is another way to ask it. So
 * one or two words that were exchanged, and any that were only added, are objected to.
 */
function isEdited(one: LexicalForm, other: LexicalForm): boolean {
  const [less = 0, more = 0] = [unmatched(one, other), unmatched(other, one)].sort((a, b) => a - b);
  return more > 0 && (less < REPHRASED_WORDS_MIN - 1 || more < REPHRASED_WORDS_MIN);
}
const REPHRASED_WORDS_MIN = 3;

/** How many words of one the other does not have. */
function unmatched(one: LexicalForm, other: LexicalForm): number {
  const left = new Map<string, number>();
  for (const word of other.words) left.set(word, (left.get(word) ?? 0) + 1);
  let count = 0;
  for (const word of one.words) {
    const there = left.get(word) ?? 0;
    if (there > 0) left.set(word, there - 1);
    else count++;
  }
  return count;
}

/**
 * With the same words: in another order, unless only whole phrases moved. With others: names and numbers that changed
 * places, or what governs them.
 */
function isReordered(one: LexicalForm, other: LexicalForm): boolean {
  if (unmatched(one, other) + unmatched(other, one) === 0) {
    const asIs = sameList(one.words, other.words) && sameList(one.governed, other.governed);
    return !asIs && !sameList(one.phrases, other.phrases);
  }
  const named = new Set([...one.names, ...other.names, ...one.numbers, ...other.numbers]);
  const places = (form: LexicalForm, beside: LexicalForm): string[] =>
    form.words.filter((word) => named.has(word) && beside.words.includes(word));
  if (!sameList(places(one, other), places(other, one))) return true;
  const governing = new Map(one.governed.map(governorOf));
  return other.governed.map(governorOf).some(([word, by]) => governing.has(word) && governing.get(word) !== by);
}

function governorOf(governed: string): [word: string, by: string] {
  const at = governed.indexOf(':');
  return [governed.slice(at + 1), governed.slice(0, at)];
}

/**
 * Words with inner marks (`s3fs.File`, `top-ups`, `C++`), numbers with their points, signs that change what is meant
 * (`<`, `€`, a minus), and marks that end a phrase.
 */
const TOKEN =
  /[\p{L}\p{N}_$#@][\p{L}\p{N}_]*(?:[.'’/:+@#=-]+[\p{L}\p{N}_]+)*(?:%|[+#]+(?![\p{L}\p{N}]))?|[\p{Sm}\p{Sc}\p{Extended_Pictographic}*^]|[-/](?=\s*\p{N})|[,;:.!?()]/gu;
const MARK = /^[,;:.!?()]$/;

/** Reads a text once; the form of what is kept is kept with it. */
export function lexicalForm(text: string): LexicalForm {
  const numbers: string[] = [];
  const names: string[] = [];
  const words: string[] = [];
  const governed: string[] = [];
  const phrases: string[] = [];
  let negations = 0;
  let governing = '';
  let phrase: string[] = [];
  const endPhrase = (next: string): void => {
    if (phrase.length > 0) phrases.push(`${governing}:${phrase.join(' ')}`);
    phrase = [];
    governing = next;
  };
  let first = true;
  for (const [token] of text.normalize('NFKC').matchAll(TOKEN)) {
    const lower = token.toLowerCase().replaceAll('’', "'");
    const plain = lower.replaceAll("'", '');
    if (MARK.test(token)) {
      endPhrase('');
      first = /[.!?:]/.test(token);
      continue;
    }
    if (NEGATIONS.has(plain) || (plain.endsWith('nt') && lower.includes("'"))) negations++;
    if (JOINING_WORDS.has(lower)) endPhrase('');
    else if (GOVERNING_WORDS.has(lower)) endPhrase(lower);
    else if (!EMPTY_WORDS.has(plain)) {
      const word = wordOf(plain);
      if (/\p{N}/u.test(word)) numbers.push(word);
      if (isName(token, first)) names.push(word);
      if (phrase.length === 0 && governing !== '' && !WEAK_GOVERNING_WORDS.has(governing)) {
        governed.push(`${governing}:${word}`);
      }
      words.push(word);
      phrase.push(word);
    }
    first = false;
  }
  endPhrase('');
  return { numbers, names: names.sort(), negations, words, governed, phrases: phrases.sort() };
}

function wordOf(plain: string): string {
  const word = NUMBERS.get(plain) ?? PERSONS.get(plain) ?? plain;
  if (word.startsWith('@') || /[\p{N}_./:=]/u.test(word)) return word;
  return SYNONYMS.get(word) ?? SYNONYMS.get(stem(word)) ?? stem(word);
}

/** A capital where no sentence begins, several capitals, or a code: what is named, not how it is put. */
function isName(token: string, first: boolean): boolean {
  if (/[_/=]|\p{L}\.\p{L}|\p{Ll}\p{Lu}|\p{Lu}{2}/u.test(token)) return true;
  return !first && /^\p{Lu}/u.test(token) && token.length > 1;
}

/** English endings that change no meaning here: plural, tense, -ing. */
function stem(word: string): string {
  if (word.length < 4) return word;
  if (word.endsWith('ies') && word.length > 4) return `${word.slice(0, -3)}y`;
  if (/(?:sses|shes|ches|xes|zes)$/.test(word)) return word.slice(0, -2);
  if (word.endsWith('s') && !/(?:ss|us|is)$/.test(word)) return stem(word.slice(0, -1));
  const cut = /^(.{3,}?)(?:ing|ed)$/.exec(word)?.[1];
  if (cut === undefined || !/[aeiouy]/.test(cut))
    return word.endsWith('e') && word.length > 4 ? word.slice(0, -1) : word;
  const single = /(?:bb|dd|gg|mm|nn|pp|rr|tt)$/.test(cut) ? cut.slice(0, -1) : cut;
  return single.endsWith('i') ? `${single.slice(0, -1)}y` : single;
}

function sorted(words: readonly string[]): readonly string[] {
  return [...words].sort();
}

function sameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((item, index) => item === other[index]);
}
