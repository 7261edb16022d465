import type { ToolEntry } from "../../support/tool-server/order.ts";
import { type Chain, contentOf, type Post } from "../chain.ts";
import { pathOf } from "../person.ts";
import type { Evidence, Examined } from "./evidence.ts";

/** Effects outside: once where the receiver honours our key; elsewhere never again, unless a person said that it had not happened. */
export function checkOutside(evidence: Evidence, { agent, database }: Examined): void {
  const states = new Map(
    database.all("SELECT content, state FROM mailbox").map((row) => [String(row["content"]), String(row["state"])]),
  );
  for (const chain of [agent.goal, ...agent.messages.map((message) => message.chain)]) {
    const answered = states.get(contentOf(chain)) === "answered";
    for (const post of postsOf(chain)) checkPost(evidence, post, answered);
  }
}

function postsOf(chain: Chain): Post[] {
  return chain.steps.flatMap(({ post }) => (post === undefined ? [] : [post]));
}

function checkPost({ findings, acts, person }: Evidence, { keyed, url }: Post, answered: boolean): void {
  const path = pathOf(url);
  const entries = acts.get(path) ?? [];
  const count = (type: ToolEntry["type"]) => entries.filter((entry) => entry.type === type).length;
  const saw = () => `${path}, answered ${answered}: ${JSON.stringify(entries.map(({ type, key }) => [type, key]))}`;
  const name = keyed ? "a keyed effect happens once" : "an unkeyed effect happens once";
  findings.expect(name, count("act") <= 1 && (!answered || count("act") === 1), saw);
  findings.expect("a call has one key", new Set(entries.map(({ key }) => key)).size <= 1, saw);
  const allowed = 1 + (person.notDone.get(path) ?? 0);
  if (!keyed) findings.expect("an unkeyed call is not made again", count("request") <= allowed, saw);
}
