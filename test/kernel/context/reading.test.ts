import { describe, expect, test } from "vitest";
import type { ContextManager } from "../../../kernel/context/context-manager.ts";
import { READINGS } from "./reading-texts.ts";
import { withContext } from "./rig.ts";

/** Questions over real texts, each with one word of the subject in common with its answer. */

const CITATIONS = 3;
const ANSWER_MS = 2_000;

/** Line ends and the stars of comments do not count. */
function plain(text: string): string {
  return text.replace(/\s*\*?\s+/g, "");
}

async function rankOf(context: ContextManager, ask: string, passage: string): Promise<number> {
  const hits = await context.search(ask, CITATIONS);
  const pages = await Promise.all(hits.map(({ id }) => context.peek(id)));
  return pages.findIndex((page) => page.ok && plain(page.value.content).includes(plain(passage))) + 1;
}

describe.each(READINGS)("$name", ({ name, texts, questions, leastFound }) => {
  test("is found by what its answers mean, among the first three pages", async () => {
    await withContext(async ({ context, sql }) => {
      for (const [source, content] of Object.entries(texts)) {
        sql.transaction(() => context.allocate({ content, kind: "document", source }));
      }
      await context.reclaim();
      const ranks: number[] = [];
      let slowestMs = 0;
      for (const { ask, passage } of questions) {
        const begun = Date.now();
        ranks.push(await rankOf(context, ask, passage));
        slowestMs = Math.max(slowestMs, Date.now() - begun);
      }
      console.log(`${name}: ranks ${ranks.join(" ")} (0 = not among ${CITATIONS}), slowest ${slowestMs} ms`);
      expect(ranks.filter((rank) => rank > 0).length).toBeGreaterThanOrEqual(leastFound);
      expect(slowestMs).toBeLessThan(ANSWER_MS);
    });
  }, 120_000);
});
