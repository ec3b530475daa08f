const list = (words: string): ReadonlySet<string> => new Set(words.split(' '));

/** Words that carry no meaning of their own between two ways of asking the same. */
export const EMPTY_WORDS = list(
  'a an the this that these those it its is are be been being am do does done has have having ' +
    'can could may might please kindly hi hello hey thanks thank so then also just there here as which ' +
    'if s re ve ll d m t order',
);

/** Words that govern what follows: where they stand, and before what, is part of the meaning. */
export const GOVERNING_WORDS = list(
  'to from with without before after above below over under into onto out up down off for against through via until ' +
    'till since between among across along around behind beside beyond near than like about per except despite toward ' +
    'towards by in on at of during within upon inside outside',
);

/** Of those, the ones that a rephrasing adds, drops and exchanges freely while the order of words stays. */
export const WEAK_GOVERNING_WORDS = list('of in on at by for to with within upon during about');

/** Between clauses and members of a list. */
export const JOINING_WORDS = list('and or but while because whereas although');

export const NEGATIONS = list(
  'no not never none nothing nobody nowhere neither nor cannot cant dont doesnt didnt wont wouldnt isnt arent wasnt ' +
    'werent hasnt havent hadnt couldnt shouldnt mustnt aint without except unless fail fails failed lack lacks',
);

const NUMBER_WORDS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen ' +
  'eighteen nineteen twenty';
/** Numbers written as words, as digits. */
export const NUMBERS: ReadonlyMap<string, string> = new Map([
  ...NUMBER_WORDS.split(' ').map((word, index) => [word, String(index)] as const),
  ['thirty', '30'],
  ['forty', '40'],
  ['fifty', '50'],
  ['sixty', '60'],
  ['seventy', '70'],
  ['eighty', '80'],
  ['ninety', '90'],
]);

/** Groups of words that say the same in a question or an instruction. Few, and none that names a thing. */
const GROUPS = [
  'use utilize utilise employ',
  'get obtain acquire retrieve fetch',
  'make create generate build construct produce',
  'show display present',
  'help assist aid',
  'begin start commence',
  'end finish complete conclude',
  'big large',
  'buy purchase',
  'need require must',
  'allow enable permit let',
  'provide offer supply furnish give',
  'specify define designate indicate set state',
  'decide determine',
  'include contain comprise',
  'modify change alter',
  'delete remove erase eliminate',
  'load fetch',
  'run execute',
  'quick fast swift rapid',
  'different various',
  'method way approach manner',
  'function functionality',
  'kind type sort',
  'purpose goal aim',
  'mean represent denote',
  'call refer name',
  'locate find',
  'answer reply',
  'photo picture image',
  'movie film',
  'child kid',
  'smart clever',
  'car automobile',
  'job occupation',
  'should ought',
  'explain describe',
  'tell inform',
  'best ideal',
  'possible able',
  'tip advice',
  'example instance',
  'section part',
  'special specific particular',
  'extra additional',
  'available accessible',
  'support compatible',
  'improve enhance',
  'fix repair',
  'choose select pick',
];
/** Every word of a group, as its first. */
export const SYNONYMS: ReadonlyMap<string, string> = new Map(
  GROUPS.flatMap((group) => {
    const words = group.split(' ');
    return words.map((word) => [word, words[0] as string] as const);
  }),
);

/** Who is meant, oneself, the other one or somebody else, and whether it is over. */
export const PERSONS: ReadonlyMap<string, string> = new Map(
  [
    ['@past', 'was were did had'],
    ['@i', 'i me my mine myself we us our ours ourselves'],
    ['@you', 'you your yours yourself yourselves'],
    ['@he', 'he him his himself'],
    ['@she', 'she her hers herself'],
    ['@they', 'they them their theirs themselves'],
  ].flatMap(([person, words]) => (words as string).split(' ').map((word) => [word, person as string] as const)),
);
