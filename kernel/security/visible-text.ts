/**
 * Text without what a reader cannot see and a model can: the ways to hide orders in content. Applied to untrusted content before a
 * model reads it. What makes a difference to how words look or read stays: joiners within words of scripts that shape (Arabic,
 * Persian, Indic), within emoji, one variation selector after what it can vary.
 *
 * Gone: tag characters (but for the three flags that are spelled with them), zero-width spaces and joiners elsewhere, marks and
 * overrides of direction, soft hyphens, invisible operators, fillers, interlinear annotations, control characters but tab and line ends,
 * and every selector that varies nothing.
 */

const SHAPED =
  "\\p{sc=Arab}\\p{sc=Syrc}\\p{sc=Mong}\\p{sc=Nkoo}\\p{sc=Adlm}\\p{sc=Deva}\\p{sc=Beng}\\p{sc=Guru}\\p{sc=Gujr}\\p{sc=Orya}\\p{sc=Taml}\\p{sc=Telu}\\p{sc=Knda}\\p{sc=Mlym}\\p{sc=Sinh}\\p{sc=Khmr}\\p{sc=Mymr}\\p{sc=Tibt}";
/** England, Scotland, Wales. */
const FLAGS =
  "\\u{1F3F4}\\u{E0067}\\u{E0062}(?:\\u{E0065}\\u{E006E}\\u{E0067}|\\u{E0073}\\u{E0063}\\u{E0074}|\\u{E0077}\\u{E006C}\\u{E0073})\\u{E007F}";
const SHAPING_JOINER = `(?<=[${SHAPED}]\\p{M}?)[\\u200C\\u200D](?=[${SHAPED}])`;
const EMOJI_JOINER = "(?<=\\p{Extended_Pictographic}[\\uFE0F\\p{EMod}]?)\\u200D(?=\\p{Extended_Pictographic})";
const EMOJI_SELECTOR = "(?<=[\\p{Extended_Pictographic}0-9#*])[\\uFE0E\\uFE0F]";
const HAN_SELECTOR = "(?<=\\p{sc=Han})[\\uFE00-\\uFE02\\u{E0100}-\\u{E01EF}]";
const KEPT = [FLAGS, SHAPING_JOINER, EMOJI_JOINER, EMOJI_SELECTOR, HAN_SELECTOR].join("|");
const INVISIBLE =
  "[\\u0000-\\u0008\\u000B\\u000C\\u000E-\\u001F\\u007F-\\u0084\\u0086-\\u009F\\u00AD\\u034F\\u061C\\u115F\\u1160\\u17B4\\u17B5\\u180B-\\u180F\\u200B-\\u200F\\u202A-\\u202E\\u2060-\\u206F\\u3164\\uFE00-\\uFE0F\\uFEFF\\uFFA0\\uFFF9-\\uFFFB\\u{1BCA0}-\\u{1BCA3}\\u{1D173}-\\u{1D17A}\\u{E0000}-\\u{E0FFF}]";
const PATTERN = new RegExp(`(${KEPT})|${INVISIBLE}`, "gu");

export interface VisibleText {
  text: string;
  /** How many characters are gone. */
  stripped: number;
}

export function visibleText(text: string): VisibleText {
  let stripped = 0;
  const visible = text.replace(PATTERN, (_found, kept: string | undefined) => {
    if (kept !== undefined) return kept;
    stripped += 1;
    return "";
  });
  return { text: visible, stripped };
}

/** The same for every text in a JSON value, names of members too. */
export function visibleValue<T>(value: T): { value: T; stripped: number } {
  const visible = visibleText(JSON.stringify(value) ?? "null");
  if (visible.stripped === 0 && !HIDDEN_ESCAPE.test(visible.text)) return { value, stripped: 0 };
  return walked(value);
}

/** JSON escapes control characters, so they are looked for as text. */
const HIDDEN_ESCAPE = /\\(?:u00|[bf])/;

function walked<T>(value: T): { value: T; stripped: number } {
  let stripped = 0;
  const clean = (text: string) => {
    const visible = visibleText(text);
    stripped += visible.stripped;
    return visible.text;
  };
  const walk = (one: unknown): unknown => {
    if (typeof one === "string") return clean(one);
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one !== "object" || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([name, member]) => [clean(name), walk(member)]));
  };
  return { value: walk(value) as T, stripped };
}
