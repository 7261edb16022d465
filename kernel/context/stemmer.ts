/**
 * Porter's stemmer for English (M. F. Porter, "An algorithm for suffix stripping", 1980): connected, connecting and
 * connection become one term. Words of other languages pass mostly unharmed, and equally so in texts and in questions.
 */

const CONSONANT = "[^aeiou]";
const VOWEL = "[aeiouy]";
const CONSONANTS = `${CONSONANT}[^aeiouy]*`;
const VOWELS = `${VOWEL}[aeiou]*`;

/** Porter's measure m of a stem: how many vowel-consonant sequences it holds. */
const MORE_THAN_0 = new RegExp(`^(?:${CONSONANTS})?${VOWELS}${CONSONANTS}`);
const EXACTLY_1 = new RegExp(`^(?:${CONSONANTS})?${VOWELS}${CONSONANTS}(?:${VOWELS})?$`);
const MORE_THAN_1 = new RegExp(`^(?:${CONSONANTS})?${VOWELS}${CONSONANTS}${VOWELS}${CONSONANTS}`);
const HAS_VOWEL = new RegExp(`^(?:${CONSONANTS})?${VOWEL}`);
const ENDS_CVC = new RegExp(`^${CONSONANTS}${VOWEL}[^aeiouwxy]$`);

const STEP_2: Readonly<Record<string, string>> = {
  ational: "ate",
  tional: "tion",
  enci: "ence",
  anci: "ance",
  izer: "ize",
  bli: "ble",
  alli: "al",
  entli: "ent",
  eli: "e",
  ousli: "ous",
  ization: "ize",
  ation: "ate",
  ator: "ate",
  alism: "al",
  iveness: "ive",
  fulness: "ful",
  ousness: "ous",
  aliti: "al",
  iviti: "ive",
  biliti: "ble",
  logi: "log",
};
const STEP_3: Readonly<Record<string, string>> = {
  icate: "ic",
  ative: "",
  alize: "al",
  iciti: "ic",
  ical: "ic",
  ful: "",
  ness: "",
};
const suffixes = (table: Readonly<Record<string, string>>) => new RegExp(`^(.+?)(${Object.keys(table).join("|")})$`);
const SUFFIX_2 = suffixes(STEP_2);
const SUFFIX_3 = suffixes(STEP_3);
const SUFFIX_4 = /^(.+?)(?:al|ance|ence|er|ic|able|ible|ant|ement|ment|ent|ou|ism|ate|iti|ous|ive|ize)$/;
const SUFFIX_4_ION = /^(.+?[st])ion$/;

/** The stem of a lower-case word. */
export function stem(word: string): string {
  if (word.length < 3) return word;
  const initialY = word.startsWith("y");
  let result = initialY ? `Y${word.slice(1)}` : word;
  for (const step of [plural, pastOrProgressive, finalY, step2, step3, step4, finalE]) result = step(result);
  return initialY ? result.toLowerCase() : result;
}

function plural(word: string): string {
  if (/(?:ss|i)es$/.test(word)) return word.slice(0, -2);
  return /[^s]s$/.test(word) ? word.slice(0, -1) : word;
}

function pastOrProgressive(word: string): string {
  if (word.endsWith("eed")) return MORE_THAN_0.test(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const base = /^(.+?)(?:ed|ing)$/.exec(word)?.[1];
  if (base === undefined || !HAS_VOWEL.test(base)) return word;
  if (/(?:at|bl|iz)$/.test(base)) return `${base}e`;
  if (/([^aeiouylsz])\1$/.test(base)) return base.slice(0, -1);
  return ENDS_CVC.test(base) ? `${base}e` : base;
}

function finalY(word: string): string {
  return word.endsWith("y") && HAS_VOWEL.test(word.slice(0, -1)) ? `${word.slice(0, -1)}i` : word;
}

function replaced(word: string, pattern: RegExp, table: Readonly<Record<string, string>>): string {
  const [, base = "", suffix = ""] = pattern.exec(word) ?? [];
  return base !== "" && MORE_THAN_0.test(base) ? base + (table[suffix] ?? "") : word;
}

function step2(word: string): string {
  return replaced(word, SUFFIX_2, STEP_2);
}

function step3(word: string): string {
  return replaced(word, SUFFIX_3, STEP_3);
}

function step4(word: string): string {
  const base = SUFFIX_4.exec(word)?.[1] ?? SUFFIX_4_ION.exec(word)?.[1];
  return base !== undefined && MORE_THAN_1.test(base) ? base : word;
}

function finalE(word: string): string {
  let result = word;
  const base = word.slice(0, -1);
  if (word.endsWith("e") && (MORE_THAN_1.test(base) || (EXACTLY_1.test(base) && !ENDS_CVC.test(base)))) result = base;
  return result.endsWith("ll") && MORE_THAN_1.test(result) ? result.slice(0, -1) : result;
}
