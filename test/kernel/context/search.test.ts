import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../kernel/limits.ts";
import { prose, type Rig, withContext } from "./rig.ts";

const FACTS = [
  "The lighthouse of Cordouan was given its first rotating lamp by an inventor named Teulère.",
  "The Dover tide tables were computed by hand until the clerks struck.",
  "我们的仓库在河边，夜里由一位老人看守，他养了三只猫。",
  "发明家把新的印刷机装在地下室里，邻居们抱怨噪声太大。",
  "La forêt de Fontainebleau abrite des chênes très âgés.",
  "Function parseLedgerEntry throws when the harbour code is unknown.",
];

function remember({ context, sql }: Rig, facts: readonly string[] = FACTS): Map<string, string> {
  const ids = new Map<string, string>();
  sql.transaction(() => {
    for (const fact of facts) {
      const [page] = context.allocate({
        content: `${prose(4, "weather")}${fact}`,
        kind: "document",
        source: "facts.txt",
      });
      ids.set(page?.id ?? "", fact);
    }
    context.allocate({ content: prose(300, "weather"), kind: "document", source: "noise.txt" });
  });
  return ids;
}

async function firstFact(rig: Rig, ids: Map<string, string>, query: string): Promise<string | undefined> {
  const [hit] = await rig.context.search(query, 3);
  return ids.get(hit?.id ?? "");
}

describe("a search", () => {
  test("finds words in other forms, in any case, with or without accents", async () => {
    await withContext(async (rig) => {
      const ids = remember(rig);
      expect(await firstFact(rig, ids, "Which inventors made LAMPS rotate?")).toBe(FACTS[0]);
      expect(await firstFact(rig, ids, "who computes tides at Dover")).toBe(FACTS[1]);
      expect(await firstFact(rig, ids, "la foret et le chene")).toBe(FACTS[4]);
      expect(await firstFact(rig, ids, "ledger parser error")).toBe(FACTS[5]);
    });
  });

  test("finds Chinese words, wherever a segmenter would cut, and in mixed questions", async () => {
    await withContext(async (rig) => {
      const ids = remember(rig);
      expect(await firstFact(rig, ids, "谁在看守仓库？")).toBe(FACTS[2]);
      expect(await firstFact(rig, ids, "他发明了什么印刷的东西")).toBe(FACTS[3]);
      expect(await firstFact(rig, ids, "Who keeps the 仓库 at night?")).toBe(FACTS[2]);
    });
  });

  test("finds what the text says in other words, after what it says in the question's own", async () => {
    await withContext(async (rig) => {
      const ids = remember(rig, [
        "The clerks erase the tables at dusk.",
        "The clerks discard the oars at dusk.",
        "仓库每月升级一次锁具。",
        "河边的猫很安静。",
      ]);
      expect(await firstFact(rig, ids, "discarding at dusk")).toBe("The clerks discard the oars at dusk.");
      expect(await firstFact(rig, ids, "wiping tables")).toBe("The clerks erase the tables at dusk.");
      expect(await firstFact(rig, ids, "更新")).toBe("仓库每月升级一次锁具。");
    });
  });

  test("lets no rare word outweigh the common one of the question that it only stands for", async () => {
    await withContext(async (rig) => {
      const others = Array.from(
        { length: 40 },
        (_, i) => `The clerk did ${i % 5 === 0 ? "repair" : "count"} the oars.`,
      );
      const ids = remember(rig, [...others, "The clerk did remedy the oars."]);
      expect(await firstFact(rig, ids, "repair")).toBe("The clerk did repair the oars.");
    });
  });

  test("counts a word that most pages have", async () => {
    await withContext(async ({ context, sql }) => {
      const seen = (i: number) => (i < 9 ? "rose" : "was not seen");
      sql.transaction(() => {
        for (let i = 0; i < 12; i++)
          context.allocate({ content: `The tide of day ${i} ${seen(i)}. Oars.`, kind: "note" });
      });
      const scoreOf = async (word: string) => (await context.search(word, 1))[0]?.score ?? 0;
      expect(await scoreOf("rose")).toBeGreaterThan((await scoreOf("seen")) / 10);
      expect(await scoreOf("tide")).toBeGreaterThan(0.01);
    });
  });

  test("is not led astray by the question itself, which stands in the prompt", async () => {
    await withContext(async (rig) => {
      const ids = remember(rig);
      const ask = "Fontainebleaux?";
      rig.sql.transaction(() => rig.context.appendMessage(ask, "user"));
      const hits = await rig.context.memory.search(ask, 3);
      expect(hits.map(({ id }) => ids.get(id))).toEqual([FACTS[4]]);
    });
  });

  test("finds a page by the heading that it lost when its document was cut", async () => {
    await withContext(async ({ context, sql }) => {
      const text = `# Journal\n\n${prose(30)}\n\n# Quarantine\n\n${prose(60, "island")}`;
      const pages = sql.transaction(() => context.allocate({ content: text, kind: "document" }));
      const hits = await context.search("quarantine", 10);
      expect(hits.map(({ id }) => id)).toContain(pages.at(-1)?.id);
    });
  });

  test("finds cold pages too, and shows the words that fit", async () => {
    await withContext(async (rig) => {
      const ids = remember(rig);
      rig.sql.transaction(() => rig.context.allocate({ content: prose(60_000, "weather"), kind: "document" }));
      await rig.context.reclaim();
      const [hit] = await rig.context.search("rotating lamp of Cordouan", 1);
      expect(hit?.tier).toBe("cold");
      expect(ids.get(hit?.id ?? "")).toBe(FACTS[0]);
      expect(hit?.snippet).toContain("Cordouan");
      expect(hit?.source).toBe("facts.txt");
    });
  });

  test("answers no more than was asked for, best first, and changes nothing", async () => {
    await withContext(async (rig) => {
      remember(rig);
      const before = rig.context.stats();
      const hits = await rig.context.search("weather keeper", 1_000);
      expect(hits.length).toBeLessThanOrEqual(LIMITS.searchMax);
      expect(await rig.context.search("weather keeper", 2)).toHaveLength(2);
      for (const hit of hits) expect(hit.snippet.length).toBeLessThanOrEqual(LIMITS.snippetChars + 2);
      expect(rig.context.stats()).toEqual(before);
      expect(rig.notes).toEqual([]);
    });
  });

  test("for nothing, for stop words, or for marks finds nothing", async () => {
    await withContext(async (rig) => {
      remember(rig);
      for (const query of ["", "what is the", "的了吗", '"*^ OR NEAR(', "zzzqqq"])
        expect(await rig.context.search(query, 5)).toEqual([]);
    });
  });

  test("by the agent leaves out what its prompt shows anyway", async () => {
    await withContext(async ({ context, sql }) => {
      sql.transaction(() => context.appendMessage("Where is the lighthouse lamp?", "user"));
      expect(await context.search("lighthouse lamp", 5)).toHaveLength(1);
      expect(await context.memory.search("lighthouse lamp", 5)).toEqual([]);
    });
  });
});
