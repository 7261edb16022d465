import { expect, test } from "vitest";
import { prose, withContext } from "./rig.ts";

test("smoke", async () => {
  await withContext(async ({ context, notes }) => {
    context.allocate({ content: "You are a test.", kind: "instructions", pinned: true, resident: true });
    const pages = context.allocate({
      content: `${prose(300)}\n\nThe lighthouse lamp was invented by Teulère.\n\n${prose(300)}`,
      kind: "document",
      source: "log.txt",
    });
    context.appendMessage("Who made the lighthouse lamp?", "user");
    console.log(pages.length, context.stats());
    console.log(await context.search("lighthouse inventor", 3));
    console.log(await context.pageIn("lighthouse lamp", { tokens: 2000, ms: 500 }));
    const p = context.assemble([]);
    expect(p.ok).toBe(true);
    if (p.ok)
      console.log(
        p.value.estimatedTokens,
        p.value.utf8Bytes,
        p.value.messages.map((m) => [m.role, String(m.content).slice(0, 100)]),
      );
    console.log(notes, await context.erase());
  });
});
