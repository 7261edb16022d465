import { expect, test } from "vitest";
import type { ContextManager } from "../../../kernel/context/context-manager.ts";
import { EVICTED_HEADER, MEMORY_HEADER, PREAMBLE, parsePages } from "../../../kernel/context/prompt-format.ts";
import { estimateTokens } from "../../../kernel/context/tokens.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { ChatMessage, ToolCall, ToolDefinition } from "../../../kernel/llm/chat.ts";
import { prose, WINDOW, withContext } from "./rig.ts";

/** What the model sees: the order, that it fits, and that its beginning does not change from step to step. */

const TOOLS: ToolDefinition[] = Array.from({ length: 8 }, (_, i) => ({
  type: "function",
  function: {
    name: `look_${i}`,
    description: `Looks at pier ${i} and says which ships lie there, with their masts and crews.`,
    parameters: { type: "object", properties: { pier: { type: "string" } }, required: ["pier"] },
  },
}));

function call(id: string, pier = "north"): ToolCall {
  return { id, type: "function", function: { name: "look_0", arguments: JSON.stringify({ pier }) } };
}

function exchange(ids: string[], result: (id: string) => string): ChatMessage[] {
  return [
    { role: "assistant", content: "Let me look.", tool_calls: ids.map((id) => call(id)), reasoning_content: "Hm." },
    ...ids.map((id): ChatMessage => ({ role: "tool", tool_call_id: id, content: result(id) })),
  ];
}

function assembled(context: ContextManager, tools = TOOLS) {
  const prompt = context.assemble(tools);
  if (!prompt.ok) throw new Error(prompt.error.message);
  return prompt.value;
}

function setUp(context: ContextManager): void {
  context.allocate({ content: "You keep the harbour.", kind: "instructions", pinned: true, resident: true });
  context.allocate({ content: "Know every ship.", kind: "goal", pinned: true, resident: true });
}

/** The messages as the vendor reads them: without the bracket that ends the list. */
function wire(messages: ChatMessage[]): string {
  return JSON.stringify(messages).slice(0, -1);
}

test("the order is: kernel, instructions and goal, history as it grew, memory last", async () => {
  await withContext(async ({ context }) => {
    const [page] = context.allocate({ content: "The lamp was lit.", kind: "document", source: "log.txt" });
    setUp(context);
    context.appendMessage("First question.", "user");
    context.appendReply("First answer.");
    await context.touch(page?.id ?? "");
    context.appendMessage("Second question.", "user");
    context.appendExchange(exchange(["call_1"], () => "Three masts."));
    const { messages } = assembled(context);
    expect(messages.map((message) => message.role)).toEqual([
      "system",
      "user",
      "assistant",
      "user",
      "assistant",
      "tool",
      "user",
    ]);
    expect(messages[0]?.content).toBe(`${PREAMBLE}\n\nYou keep the harbour.\n\nYour goal:\nKnow every ship.`);
    expect(messages.slice(1, 4).map((message) => message.content)).toEqual([
      "First question.",
      "First answer.",
      "Second question.",
    ]);
    const memory = messages.at(-1)?.content ?? "";
    expect(memory.startsWith(MEMORY_HEADER)).toBe(true);
    expect(parsePages(memory)).toEqual([{ id: page?.id, source: "log.txt", content: "The lamp was lit." }]);
  });
});

test("an exchange stands in the prompt as it was: call, reasoning, and all results behind their call", async () => {
  await withContext(({ context }) => {
    const said = exchange(["call_1", "call_2", "call_3"], (id) => `{"ok":true,"of":"${id}"}`);
    context.appendMessage("Look thrice.", "user");
    context.appendExchange(said);
    context.appendExchange(exchange(["call_4"], () => "later"));
    expect(assembled(context).messages.slice(2, 6)).toEqual(said);
  });
});

test("a result too large for the prompt becomes pages, and the exchange names them", async () => {
  await withContext(async ({ context }) => {
    const result = JSON.stringify({ ok: true, text: prose(400, "archive") });
    context.appendMessage("Read the archive.", "user");
    const [entry, ...pages] = context.appendExchange(exchange(["call_1"], () => result));
    expect(entry).toMatchObject({ kind: "exchange", tier: "hot" });
    expect(entry?.tokens).toBeLessThan(WINDOW.windowTokens * LIMITS.resultShare);
    expect(pages.every((page) => page.kind === "tool_result" && page.tier === "warm" && page.source === "look_0")).toBe(
      true,
    );
    const tool = assembled(context).messages[3];
    const kept = JSON.parse(tool?.content ?? "") as {
      ok: boolean;
      pages: string[];
      morePages?: number;
      preview: string;
    };
    expect(tool).toMatchObject({ role: "tool", tool_call_id: "call_1" });
    expect(kept.ok).toBe(true);
    expect(kept.pages).toEqual(pages.slice(0, kept.pages.length).map((page) => page.id));
    expect(kept.pages.length + (kept.morePages ?? 0)).toBe(pages.length);
    const contents = await Promise.all(pages.map((page) => context.peek(page.id)));
    expect(contents.map((page) => (page.ok ? page.value.content : "")).join("")).toBe(result);
  });
});

test("a message too large for the prompt keeps its ends there, and all of it in pages", async () => {
  await withContext(async ({ context }) => {
    const content = `BEGIN ${prose(500)} END`;
    const [entry, ...pages] = context.appendMessage(content, "user");
    expect(entry?.tokens).toBeLessThanOrEqual(WINDOW.windowTokens * LIMITS.resultShare * 1.2);
    const shown = assembled(context).messages[1]?.content ?? "";
    expect(shown).toMatch(/^BEGIN The harbour keeper.* END$/s);
    expect(shown).toContain(pages[0]?.id ?? "?");
    const contents = await Promise.all(pages.map((page) => context.peek(page.id)));
    expect(contents.map((page) => (page.ok ? page.value.content : "")).join("")).toBe(content);
  });
});

test("the largest exchange that a step may make fits the prompt with the message that asked for it", async () => {
  await withContext(({ context }) => {
    setUp(context);
    context.appendMessage("Look everywhere.", "user");
    const ids = Array.from({ length: 8 }, (_, i) => `call_${i}`);
    const long = prose(24).slice(0, 1_650);
    const calls = ids.map((id) => call(id, long));
    const results = ids.map((id): ChatMessage => ({ role: "tool", tool_call_id: id, content: long }));
    const [entry] = context.appendExchange([{ role: "assistant", content: null, tool_calls: calls }, ...results]);
    expect(assembled(context).messages.filter((message) => message.role === "tool")).toHaveLength(8);
    expect(entry?.tokens).toBeLessThanOrEqual(WINDOW.windowTokens / 2);
  });
});

test("the prompt fits the window with tools and reply at every step of a long life", async () => {
  await withContext(async ({ context }) => {
    setUp(context);
    const most = WINDOW.windowTokens - WINDOW.maxOutputTokens;
    let fullest = 0;
    for (let turn = 0; turn < 30; turn++) {
      const [page] = context.allocate({ content: prose(12, `cargo ${turn}`), kind: "document", source: "cargo" });
      context.appendMessage(`What of ship ${turn}? ${prose(3)}`, "user");
      await context.touch(page?.id ?? "");
      for (let step = 0; step < 4; step++) {
        context.appendExchange(exchange([`call_${turn}_${step}`], (id) => `${id} ${prose(15, `ship ${step}`)}`));
        const { estimatedTokens, messages } = assembled(context);
        const spoken = messages.map((message) => message.content ?? "").join("");
        const counted = estimateTokens(JSON.stringify(TOOLS)) + estimateTokens(spoken);
        expect(estimatedTokens).toBeGreaterThanOrEqual(counted);
        expect(estimatedTokens).toBeLessThanOrEqual(most);
        fullest = Math.max(fullest, estimatedTokens);
        if (context.needsReclaim()) await context.reclaim();
      }
      context.appendReply(`Ship ${turn} sails.`);
    }
    expect(fullest).toBeGreaterThan(most * 0.75);
    expect(context.stats().evictions).toBeGreaterThan(50);
  });
});

test("pages with long sources do not push the prompt over the window", async () => {
  await withContext(async ({ context }) => {
    const source = `https://harbour.example/${"archive/2026/".repeat(37)}`;
    context.appendMessage("What do the notes say?", "user");
    for (let i = 0; i < 60; i++) {
      const [page] = context.allocate({ content: prose(4, `note ${i}`), kind: "document", source });
      await context.touch(page?.id ?? "");
      const prompt = assembled(context);
      expect(prompt.estimatedTokens).toBeLessThanOrEqual(WINDOW.windowTokens - WINDOW.maxOutputTokens);
    }
  });
});

/** After a reclaim: how many of `steps` steps, and the turn after, had all of the prompt before them as their beginning. */
async function stepsWithSamePrefix(context: ContextManager, steps: number): Promise<number> {
  setUp(context);
  const learn = () => {
    const { estimatedTokens } = assembled(context);
    context.calibrate(estimatedTokens, estimatedTokens, TOOLS);
  };
  context.appendMessage("Hello.", "user");
  learn();
  for (let i = 0; !context.needsReclaim(); i++) {
    context.appendMessage(`Question ${i}. ${prose(3)}`, "user");
    context.appendReply(`Answer ${i}. ${prose(3)}`);
  }
  await context.reclaim();
  context.appendMessage("Now count.", "user");
  let before = wire(assembled(context).messages);
  for (let step = 0; step < steps; step++) {
    context.appendExchange(exchange([`call_${step}`], () => "One ship."));
    if (context.needsReclaim()) throw new Error(`reclaim is due after ${step} steps`);
    const now = wire(assembled(context).messages);
    if (!now.startsWith(before)) return step;
    before = now;
    learn();
  }
  context.appendReply("Counted.");
  context.appendMessage("And the boats?", "user");
  return wire(assembled(context).messages).startsWith(before) ? steps + 1 : steps;
}

test("between reclaims each prompt begins with all of the one before it, byte for byte", async () => {
  await withContext(async ({ context }) => expect(await stepsWithSamePrefix(context, 20)).toBe(21), {
    windowTokens: 32_000,
  });
});

test("in a window of 8,000 tokens too each prompt begins with all of the one before it", async () => {
  await withContext(async ({ context }) => expect(await stepsWithSamePrefix(context, 12)).toBe(13));
});

test("faulted pages move behind what was appended, and nothing before them changes", async () => {
  await withContext(async ({ context }) => {
    setUp(context);
    const [page] = context.allocate({ content: "The lamp was lit.", kind: "document" });
    context.appendMessage("Now count.", "user");
    await context.touch(page?.id ?? "");
    const before = wire(assembled(context).messages.slice(0, -1));
    context.appendExchange(exchange(["call_1"], () => "One ship."));
    const after = assembled(context).messages;
    expect(wire(after).startsWith(before)).toBe(true);
    expect(after.at(-1)?.content).toContain("The lamp was lit.");
  });
});

test("short messages too leave the beginning alone until reclaim is due", async () => {
  await withContext(async ({ context }) => {
    setUp(context);
    let before = wire(assembled(context).messages);
    for (let i = 0; i < 3_000; i++) {
      context.appendMessage(`Ship ${i}?`, "user");
      context.appendReply("Yes.");
      if (context.needsReclaim()) return;
      const now = wire(assembled(context).messages);
      if (!now.startsWith(before)) throw new Error(`turn ${i} changed the beginning; nothing was reclaimed`);
      before = now;
    }
  });
});

test("an evicted page leaves a line at the end of the system message, until it is back and reclaim runs again", async () => {
  await withContext(async ({ context }) => {
    setUp(context);
    const [first] = context.appendMessage("Who built the tower?", "user");
    for (let i = 0; !context.needsReclaim(); i++) context.appendReply(`${i} ${prose(12, `stone ${i}`)}`);
    context.appendMessage("And when?", "user");
    await context.reclaim();
    const system = () => assembled(context).messages[0]?.content ?? "";
    expect(system()).toContain(`\n${EVICTED_HEADER}\n`);
    expect(system()).toContain(`- ${first?.id} message: Who built the tower?`);
    await context.touch(first?.id ?? "");
    expect(system()).toContain(`- ${first?.id} `);
    while (!context.needsReclaim()) context.appendReply(prose(12, "late"));
    await context.touch(first?.id ?? "");
    await context.reclaim();
    expect(system()).not.toContain(`- ${first?.id} `);
  });
});

test("of many evicted pages the newest have lines, and the others are counted", async () => {
  await withContext(async ({ context }) => {
    for (let i = 0; !context.needsReclaim(); i++) context.appendReply(`${i} ${prose(1, `stone ${i}`)}`);
    context.appendMessage("And when?", "user");
    const { evicted } = await context.reclaim();
    const lines = (assembled(context).messages[0]?.content ?? "").split(`${EVICTED_HEADER}\n`)[1]?.split("\n") ?? [];
    expect(lines).toHaveLength(LIMITS.stubLines + 1);
    expect(lines[0]).toContain(`${evicted - LIMITS.stubLines} older pages`);
  });
});

test("the lines of evicted pages never cost a small window the conversation itself", async () => {
  await withContext(
    async ({ context }) => {
      for (let i = 0; i < 40; i++) {
        context.appendMessage(
          `Question ${i}: where does the ship of pier ${i} go, and when does it leave again?`,
          "user",
        );
        context.appendReply(`Answer ${i}: to the island of lamps and mirrors, with the tide, at the hour of ${i}.`);
        if (context.needsReclaim()) await context.reclaim();
      }
      context.appendMessage("And what did I ask just before?", "user");
      expect(JSON.stringify(assembled(context, []).messages)).toContain("Answer 39");
    },
    { windowTokens: 1_000, pageTokens: 64, maxOutputTokens: 250 },
  );
});

test("pinned pages that exceed the window are context_overflow, until they are unpinned", async () => {
  await withContext(({ context }) => {
    setUp(context);
    const pages = context.allocate({ content: prose(600), kind: "document", pinned: true });
    context.appendMessage("Well?", "user");
    expect(context.assemble(TOOLS)).toMatchObject({ ok: false, error: { code: "context_overflow" } });
    for (const page of pages) context.patch(page.id, { pinned: false });
    expect(assembled(context).messages[1]).toEqual({ role: "user", content: "Well?" });
  });
});

test("instructions larger than the window are context_overflow", async () => {
  await withContext(({ context }) => {
    context.allocate({ content: prose(600), kind: "instructions", pinned: true, resident: true });
    expect(context.assemble([])).toMatchObject({ ok: false, error: { code: "context_overflow" } });
  });
});

test("a second manager over the same tables assembles the same bytes, in the middle of a turn too", async () => {
  await withContext(async ({ context, again }) => {
    setUp(context);
    const check = () => expect(JSON.stringify(again().assemble(TOOLS))).toBe(JSON.stringify(context.assemble(TOOLS)));
    for (let i = 0; context.stats().evictions === 0; i++) {
      const [page] = context.allocate({ content: prose(6, `note ${i}`), kind: "document" });
      context.appendMessage(`Question ${i}. ${prose(4)}`, "user");
      check();
      await context.touch(page?.id ?? "");
      check();
      context.appendExchange(exchange([`call_${i}`], () => prose(10)));
      check();
      if (context.needsReclaim()) await context.reclaim();
      check();
      context.calibrate(1_000, 1_200, TOOLS);
      check();
      context.appendReply(`Answer ${i}. ${prose(4)}`);
      check();
    }
  });
});

test("whoever takes over from another manager goes on with the same next prompt", async () => {
  await withContext(async ({ context, again }) => {
    context.appendMessage("Count.", "user");
    context.appendExchange(exchange(["call_1"], () => "One ship."));
    const before = wire(assembled(context).messages);
    const next = again();
    next.appendExchange(exchange(["call_2"], () => "Two ships."));
    expect(wire(assembled(next).messages).startsWith(before)).toBe(true);
  });
});
