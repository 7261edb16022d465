import { type Blocks, BlockWriter } from "../../kernel/storage/blocks.ts";

/**
 * One long string of a JSON object, lifted out while the object arrives: as UTF-8, while the rest stays JSON. The text as
 * JSON and as a value would be two strings of up to twice its bytes, and large strings live until a full collection.
 *
 * In the rest stands a placeholder, empty if the string was; so what is wrong with the object is found, and reported, by
 * who parses the rest. As with `JSON.parse` the last of equal keys counts. Rule for callers: give pieces of text in order, then
 * take `rest` and `text`.
 */

/** Lengths of `\n` and `\u000a`. */
const ESCAPE = 2;
const UNICODE_ESCAPE = 6;

export class LiftedField {
  readonly #name: string;
  readonly #text = new BlockWriter();
  readonly #rest: string[] = [];
  #found = false;
  #malformed = false;
  #where: "between" | "string" | "lifted" = "between";
  #depth = 0;
  /** The string that stands open or has just ended, at the top level of the object; longer ones are no key to look for. */
  #key = "";
  /** The next string is the value of the field. */
  #armed = false;
  /** The beginning of an escape sequence whose end has not come yet. */
  #open = "";
  /** The first half of a character that is written as two escapes. */
  #half = "";

  constructor(name: string) {
    this.#name = name;
  }

  /** The object without the text. Not JSON, if the object was not. */
  get rest(): string {
    return this.#malformed || this.#where === "lifted" ? "" : this.#rest.join("");
  }

  /** Null when the object has no such string. A lone surrogate is a replacement character. */
  get text(): Blocks | null {
    return this.#found ? this.#text.blocks : null;
  }

  take(piece: string): void {
    const text = this.#open + piece;
    this.#open = "";
    for (let at = 0; at < text.length && !this.#malformed; ) {
      if (this.#where === "between") at = this.#between(text, at);
      else if (this.#where === "string") at = this.#string(text, at);
      else at = this.#lift(text, at);
    }
  }

  /** Up to the next string. */
  #between(text: string, from: number): number {
    const marks = /["{}[\]:,]/g;
    marks.lastIndex = from;
    for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
      if (mark[0] === '"') {
        this.#rest.push(text.slice(from, mark.index + 1));
        this.#beginString();
        return mark.index + 1;
      }
      this.#pass(mark[0]);
    }
    this.#rest.push(text.slice(from));
    return text.length;
  }

  #pass(mark: string): void {
    if (mark === "{" || mark === "[") this.#depth++;
    if (mark === "}" || mark === "]") this.#depth--;
    this.#armed = mark === ":" && this.#depth === 1 && this.#isName(this.#key);
  }

  #beginString(): void {
    this.#where = this.#armed ? "lifted" : "string";
    if (this.#armed) this.#text.clear(); // of an earlier value of an equal key
    this.#key = "";
  }

  #isName(key: string): boolean {
    return key === this.#name || (key.includes("\\") && unescaped(key) === this.#name);
  }

  /** A string that stays. */
  #string(text: string, from: number): number {
    const { end, whole } = endOfString(text, from);
    const part = text.slice(from, end ?? whole);
    this.#rest.push(part);
    // A character of the name is written with six at most.
    if (this.#depth === 1 && this.#key.length <= this.#name.length * 6) this.#key += part;
    if (end === null) return this.#keepOpen(text, whole);
    this.#rest.push('"');
    this.#where = "between";
    return end + 1;
  }

  #lift(text: string, from: number): number {
    const { end, whole } = endOfString(text, from);
    const part = unescaped(text.slice(from, end ?? whole));
    if (part === null) {
      this.#malformed = true;
      return text.length;
    }
    this.#write(part, end !== null);
    if (end === null) return this.#keepOpen(text, whole);
    this.#rest.push(this.#text.isEmpty ? '"' : '-"');
    this.#found = true;
    this.#armed = false;
    this.#where = "between";
    return end + 1;
  }

  #keepOpen(text: string, whole: number): number {
    this.#open = text.slice(whole);
    return text.length;
  }

  #write(part: string, isLast: boolean): void {
    const text = this.#half + part;
    this.#half = isLast ? "" : (/[\ud800-\udbff]$/.exec(text)?.[0] ?? "");
    this.#text.write(text.slice(0, text.length - this.#half.length));
  }
}

/** Where the string that stands open at `from` ends, or null; and up to where its escape sequences are whole. */
function endOfString(text: string, from: number): { end: number | null; whole: number } {
  const marks = /["\\]/g;
  marks.lastIndex = from;
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    if (mark[0] === '"') return { end: mark.index, whole: mark.index };
    const after = mark.index + (text[mark.index + 1] === "u" ? UNICODE_ESCAPE : ESCAPE);
    if (after > text.length) return { end: null, whole: mark.index };
    marks.lastIndex = mark.index + ESCAPE;
  }
  return { end: null, whole: text.length };
}

/** What stands between the quotes of a JSON string, as a value; null when no JSON string is written like that. */
function unescaped(part: string): string | null {
  try {
    return JSON.parse(`"${part}"`) as string;
  } catch {
    return null;
  }
}
