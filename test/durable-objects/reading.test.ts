import { describe, expect, test } from "vitest";
import { citations } from "../../kernel/context/prompt-format.ts";
import { READINGS } from "../kernel/context/reading-texts.ts";
import { TestTenant, value } from "../support/tenant.ts";

/** The whole way of a question: an agent on the embedded reader, a real text as its memory, an answer with citations. */

const CITATIONS = 3;

/** Line ends and the stars of comments do not count. */
function plain(text: string): string {
  return text.replace(/\s*\*?\s+/g, "");
}

describe.each(READINGS)("an agent that has read $name", ({ name, texts, questions, leastCited }) => {
  test("cites the right page among its first three", async () => {
    const tenant = new TestTenant();
    const id = await tenant.daemon({ context: { windowTokens: 16_000 } });
    for (const [source, content] of Object.entries(texts)) {
      value(await tenant.agent(id).addPages({ content, source }, "key:test"));
    }
    const places: number[] = [];
    const took: number[] = [];
    for (const { ask, passage } of questions) {
      const begun = Date.now();
      const answer = await tenant.ask(id, ask);
      took.push(Date.now() - begun);
      const cited = citations(answer).slice(0, CITATIONS);
      const pages = await Promise.all(cited.map(async (pageId) => value(await tenant.agent(id).page(pageId)).content));
      places.push(pages.findIndex((content) => plain(content).includes(plain(passage))) + 1);
    }
    console.log(`${name}: citations ${places.join(" ")} (0 = not among ${CITATIONS}), ms ${took.join(" ")}`);
    expect(places.filter((place) => place > 0).length).toBeGreaterThanOrEqual(leastCited);
  }, 180_000);
});
