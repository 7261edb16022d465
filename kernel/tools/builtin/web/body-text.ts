import { LIMITS } from "../../../limits.ts";
import { htmlText } from "./html-text.ts";

/** A response's body as text for a model: decoded by its charset, HTML as its words, cut to a bound. Bytes are not shown. */

export interface BodyText {
  contentType: string;
  title?: string;
  /** Null for a body that is no text. */
  text: string | null;
  truncated: boolean;
}

const TEXT =
  /^(?:text\/|application\/(?:json|xml|javascript|ecmascript|yaml|toml|x-www-form-urlencoded|x-ndjson|graphql|sql)\b|[a-z]+\/[\w.-]+\+(?:json|xml|yaml)\b|message\/)/;
const HTML = /^(?:text\/html|application\/xhtml\+xml)\b/;

/** `markup` = show HTML as it is written. */
export function bodyText(
  { bytes, headers, complete }: { bytes: Uint8Array; headers: Headers; complete: boolean },
  { markup }: { markup: boolean },
): BodyText {
  const contentType = (headers.get("content-type") ?? "").toLowerCase();
  if (bytes.length === 0) return { contentType, text: "", truncated: !complete };
  const whole = decode(bytes, contentType);
  if (whole === null) return { contentType, text: null, truncated: !complete };
  const read = HTML.test(contentType) && !markup ? htmlText(whole) : { title: null, text: whole };
  const text = read.text.slice(0, LIMITS.webTextChars);
  return {
    contentType,
    ...(read.title === null ? {} : { title: read.title.slice(0, LIMITS.webTitleChars) }),
    text: text.toWellFormed(),
    truncated: !complete || text.length < read.text.length,
  };
}

/** Null for what is no text: by its type, or, without one, by not being UTF-8. */
function decode(bytes: Uint8Array, contentType: string): string | null {
  if (contentType !== "" && !TEXT.test(contentType)) return null;
  const charset = /charset\s*=\s*"?([\w.:-]+)/.exec(contentType)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(charset, { fatal: contentType === "", ignoreBOM: false }).decode(bytes);
  } catch {
    return contentType === "" ? null : new TextDecoder().decode(bytes);
  }
}
