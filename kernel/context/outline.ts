/**
 * Where in a document a page stands: the headings above its first line. A split page loses its heading, and with it often
 * the very words of the question, so the path is indexed beside the content.
 */

/** Markdown `#`, AsciiDoc `=`, LaTeX, and the chapter lines of books in English and Chinese. */
const MARKED = /^(?<mark>#{1,6}|={1,6})[ \t]+(?<title>\S.*?)[ \t#=]*$/;
const BOOK =
  /^[ \t]*(?<title>(?:chapter|part|book|section|act)[ \t]+(?:\d+|[ivxlc]+)\b.*|第[0-9〇零一二三四五六七八九十百千]+[章回节篇部卷].*)$/i;
const TITLE_CHARS = 120;
const BOOK_LEVEL = 1;

/** Level (1 = outermost) and title when `line` is a heading, else null. */
export function headingOf(line: string): { level: number; title: string } | null {
  if (line.length > TITLE_CHARS) return null;
  const marked = MARKED.exec(line)?.groups;
  if (marked) return { level: marked["mark"]?.length ?? BOOK_LEVEL, title: marked["title"] ?? "" };
  const book = BOOK.exec(line)?.groups;
  return book ? { level: BOOK_LEVEL, title: (book["title"] ?? "").trim() } : null;
}

const FENCE = /^[ \t]*(?:```|~~~|----$)/;

/** Whether `line` opens or closes a block of code. */
export function isFence(line: string): boolean {
  return FENCE.test(line);
}

/** Follows a document page by page. */
export class Outline {
  readonly #path: { level: number; title: string }[] = [];
  #fenced = false;

  /** The headings above the first line of `content`, outermost first; then takes the headings inside it into account. */
  pathAbove(content: string): string {
    const path = this.#path.map((heading) => heading.title).join(" / ");
    for (const line of content.split("\n")) this.#take(line);
    return path;
  }

  #take(line: string): void {
    if (isFence(line)) this.#fenced = !this.#fenced;
    const heading = this.#fenced ? null : headingOf(line);
    if (heading === null) return;
    while ((this.#path.at(-1)?.level ?? 0) >= heading.level) this.#path.pop();
    this.#path.push(heading);
  }
}
