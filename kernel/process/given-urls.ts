import { LIMITS } from "../limits.ts";
import type { AgentParts } from "./parts.ts";

/**
 * URLs that somebody who may give orders wrote, in the goal, the instructions or a message: fetching one of them tells nobody
 * anything that the model chose. A URL counts only as a whole and as it was written: a part of one, or one with more at its end, was made up.
 */

const URL_IN_TEXT = /https?:\/\/[^\s<>"'`，。；、）】」』]+/gi;
const TRAILING = /[.,;:!?)\]}*_~|]+$/;

export function isGivenUrl({ process, mailbox }: AgentParts, url: string): boolean {
  const wanted = withoutFragment(url);
  if (wanted === null) return false;
  const { goal, instructions } = process.get();
  const texts = [goal, instructions, ...mailbox.orders(wanted.host, LIMITS.givenUrlMessages)];
  return texts.some((text) => urlsIn(text).has(wanted.href));
}

function urlsIn(text: string): Set<string> {
  const found = [...text.matchAll(URL_IN_TEXT)].flatMap(([token]) => [token, token.replace(TRAILING, "")]);
  return new Set(found.flatMap((token) => withoutFragment(token)?.href ?? []));
}

function withoutFragment(url: string): URL | null {
  const parsed = URL.parse(url);
  if (parsed !== null) parsed.hash = "";
  return parsed;
}
