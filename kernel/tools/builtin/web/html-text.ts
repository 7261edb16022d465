/**
 * HTML as a model should read it: the words, one line a block, without scripts, styles and markup. One pass over the tags; it
 * is no browser and never fails: what is not markup is text.
 */

const TAG = /<(?:!--[\s\S]*?(?:-->|$)|[!?][^>]*>?|(\/?)([a-zA-Z][a-zA-Z0-9:-]*)(?:"[^"]*"|'[^']*'|[^"'>]+)*>?)/g;
/** What they hold is not for reading: skipped up to their end tag, or to the end. */
const SKIPPED = new Set(["script", "style", "title", "noscript", "template", "svg", "iframe", "object", "canvas"]);
const BLOCKS = new Set(
  "address article aside blockquote br dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table td th title tr ul".split(
    " ",
  ),
);
const ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
  copy: "©",
  mdash: "—",
  ndash: "–",
  hellip: "…",
};
const ENTITY = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));/g;

export interface HtmlText {
  title: string | null;
  text: string;
}

export function htmlText(html: string): HtmlText {
  const parts: string[] = [];
  let title: string | null = null;
  let at = 0;
  const tags = new RegExp(TAG);
  for (let tag = tags.exec(html); tag !== null; tag = tags.exec(html)) {
    parts.push(html.slice(at, tag.index));
    at = tags.lastIndex;
    const [, slash, written = ""] = tag;
    const name = written.toLowerCase();
    if (BLOCKS.has(name)) parts.push("\n");
    if (slash === "/" || !SKIPPED.has(name)) continue;
    const end = endOf(html, name, at);
    if (name === "title") title ??= tidy(decoded(html.slice(at, end)));
    at = end;
    tags.lastIndex = end;
  }
  parts.push(html.slice(at));
  return { title, text: tidy(decoded(parts.join(""))) };
}

/** Where the element's own end tag begins. */
function endOf(html: string, name: string, from: number): number {
  const end = new RegExp(`</${name}`, "gi");
  end.lastIndex = from;
  return end.exec(html)?.index ?? html.length;
}

function decoded(text: string): string {
  return text.replace(ENTITY, (entity, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name] ?? entity;
    const code = decimal === undefined ? Number.parseInt(hex ?? "0", 16) : Number(decimal);
    return code > 0 && code <= 0x10_ffff ? String.fromCodePoint(code) : entity;
  });
}

function tidy(text: string): string {
  return text
    .replace(/[^\S\n]+/g, " ")
    .replace(/ ?\n ?/g, "\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}
