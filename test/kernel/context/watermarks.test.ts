import { expect, test } from "vitest";
import type { ContextManager } from "../../../kernel/context/context-manager.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { ChatMessage } from "../../../kernel/llm/chat.ts";
import { prose, WINDOW, withContext } from "./rig.ts";

/** Who leaves the prompt, when, how far down, and who never does. */

/** What the prompt may hold, in estimated tokens. */
const CAPACITY = WINDOW.windowTokens - WINDOW.maxOutputTokens;
const HIGH = LIMITS.hotHighWatermark * CAPACITY;
const LOW = LIMITS.hotLowWatermark * CAPACITY;

/** Many bytes in few words, so that indexing them takes no time. */
const SPACE = `${"z".repeat(250)}. `;
/** Twelve of them fit into one exchange, and are more than a segment. */
const PART = SPACE.repeat(380);

/** About 160 tokens: so is no entry cut into pages. */
function turn(context: ContextManager, i: number): void {
  context.appendMessage(`Question ${i}. ${prose(5, `pier ${i}`)}`, "user");
  context.appendReply(`Answer ${i}. ${prose(5, `pier ${i}`)}`);
}

function fillAbove(context: ContextManager, tokens: number): number {
  let turns = 0;
  while (context.stats().residentTokens <= tokens) turn(context, turns++);
  return turns;
}

function messagesOf(context: ContextManager): ChatMessage[] {
  const prompt = context.assemble([]);
  if (!prompt.ok) throw new Error(prompt.error.message);
  return prompt.value.messages;
}

/** The spoken messages: neither the system's nor the memory's. */
function history(context: ContextManager): string[] {
  return messagesOf(context)
    .slice(1)
    .map((message) => message.content ?? "");
}

function tierOf(context: ContextManager, id: string): string {
  const page = context.get(id);
  return page.ok ? page.value.tier : page.error.code;
}

function exchange(id: string, result: string): ChatMessage[] {
  const call = { id, type: "function" as const, function: { name: "look", arguments: `{"at":"${id}"}` } };
  return [
    { role: "assistant", content: null, tool_calls: [call] },
    { role: "tool", tool_call_id: id, content: result },
  ];
}

test("below the high watermark nothing is due, and reclaiming changes nothing", async () => {
  await withContext(async ({ context, notes }) => {
    while (context.stats().residentTokens < HIGH - 400) turn(context, 1);
    expect(context.needsReclaim()).toBe(false);
    const before = JSON.stringify(messagesOf(context));
    expect(await context.reclaim()).toEqual({ evicted: 0, spilled: 0, segments: [] });
    expect(JSON.stringify(messagesOf(context))).toBe(before);
    expect(notes).toEqual([]);
  });
});

test("above the high watermark the prompt is emptied to the low one, and not further than by one entry", async () => {
  await withContext(async ({ context, notes }) => {
    fillAbove(context, HIGH);
    expect(context.needsReclaim()).toBe(true);
    const before = context.stats();
    const { evicted } = await context.reclaim();
    const after = context.stats();
    expect(after.residentTokens).toBeLessThanOrEqual(LOW);
    expect(after.residentTokens).toBeGreaterThan(LOW - 250);
    expect(after).toMatchObject({ evictions: evicted, warmPages: evicted, hotPages: before.hotPages - evicted });
    expect(context.needsReclaim()).toBe(false);
    expect(notes.map((note) => note.kind)).toEqual(["page.evict"]);
    expect(notes[0]?.data).toMatchObject({ pages: evicted, tokens: before.residentTokens - after.residentTokens });
  });
});

test("what was used longest ago leaves first", async () => {
  await withContext(async ({ context }) => {
    fillAbove(context, HIGH);
    const before = history(context);
    await context.reclaim();
    const left = history(context);
    expect(left.length).toBeLessThan(before.length - 10);
    expect(left).toEqual(before.slice(-left.length));
  });
});

test("an old message that was used again stays longer than newer ones that were not", async () => {
  await withContext(async ({ context }) => {
    const [old] = context.appendMessage("The oldest question.", "user");
    fillAbove(context, HIGH);
    await context.touch(old?.id ?? "");
    await context.reclaim();
    expect(history(context)[0]).toBe("The oldest question.");
    expect(history(context).join()).not.toContain("Question 0.");
  });
});

test("pinned pages stay, whatever their age", async () => {
  await withContext(async ({ context }) => {
    context.allocate({ content: "You keep the harbour.", kind: "instructions", pinned: true, resident: true });
    const [note] = context.allocate({ content: "The lamp is green.", kind: "note", pinned: true });
    const [said] = context.appendMessage("Never forget the ladder.", "user");
    context.patch(said?.id ?? "", { pinned: true });
    fillAbove(context, HIGH);
    await context.reclaim();
    const text = JSON.stringify(messagesOf(context));
    for (const pinned of ["You keep the harbour.", "The lamp is green.", "Never forget the ladder."])
      expect(text).toContain(pinned);
    expect(context.get(note?.id ?? "")).toMatchObject({ value: { tier: "hot" } });
    expect(history(context).join()).not.toContain("Question 0.");
  });
});

test("the turn's own message stays, though everything after it is newer and must leave", async () => {
  await withContext(async ({ context }) => {
    context.appendMessage("Count every ship.", "user");
    for (let i = 0; context.stats().residentTokens <= HIGH; i++)
      context.appendExchange(exchange(`call_${i}`, prose(20, `ship ${i}`)));
    await context.reclaim();
    expect(context.stats().residentTokens).toBeLessThanOrEqual(LOW);
    const messages = messagesOf(context);
    expect(messages[1]).toEqual({ role: "user", content: "Count every ship." });
    expect(JSON.stringify(messages[2])).not.toContain("call_0");
  });
});

test("what was said in earlier turns leaves before anything of the current one", async () => {
  await withContext(async ({ context }) => {
    for (let i = 0; context.stats().residentTokens < LOW; i++) turn(context, i);
    context.appendMessage("Count every ship.", "user");
    let calls = 0;
    while (context.stats().residentTokens <= HIGH)
      context.appendExchange(exchange(`call_${calls++}`, prose(10, `ship ${calls}`)));
    await context.reclaim();
    const text = JSON.stringify(messagesOf(context));
    for (let i = 0; i < calls; i++) expect(text).toContain(`call_${i}`);
    expect(history(context).join()).not.toContain("Question 0.");
  });
});

test("an exchange leaves the prompt as a whole, and every result still follows its call", async () => {
  await withContext(async ({ context }) => {
    for (let i = 0; context.stats().residentTokens <= HIGH; i++) {
      context.appendMessage(`Look ${i}.`, "user");
      context.appendExchange(exchange(`call_${i}`, prose(12, `ship ${i}`)));
      context.appendReply(`Seen ${i}.`);
    }
    await context.reclaim();
    const messages = messagesOf(context);
    const calls = messages.flatMap((message, i) =>
      message.role === "assistant" && message.tool_calls
        ? [{ id: message.tool_calls[0]?.id, next: messages[i + 1] }]
        : [],
    );
    expect(calls.length).toBeGreaterThan(3);
    for (const { id, next } of calls) expect(next).toMatchObject({ role: "tool", tool_call_id: id });
    expect(messages.filter((message) => message.role === "tool")).toHaveLength(calls.length);
  });
});

test("SQLite above its high watermark is spilled to the low one, oldest use first", async () => {
  await withContext(async ({ context, notes }) => {
    const [used] = context.allocate({ content: "The lamp was lit.", kind: "document" });
    const [unused] = context.allocate({ content: "The mirror was cleaned.", kind: "document" });
    context.allocate({ content: SPACE.repeat(9_000), kind: "document" });
    await context.read(used?.id ?? "");
    expect(context.needsReclaim()).toBe(true);
    const { spilled, segments } = await context.reclaim();
    expect(context.warmBytes()).toBeLessThanOrEqual(LIMITS.warmLowBytes);
    expect(context.warmBytes()).toBeGreaterThan(LIMITS.warmLowBytes - 8_192);
    expect(context.stats().coldPages).toBe(spilled);
    expect(context.get(used?.id ?? "")).toMatchObject({ value: { tier: "warm" } });
    expect(context.get(unused?.id ?? "")).toMatchObject({ value: { tier: "cold" } });
    expect(context.needsReclaim()).toBe(false);
    const bytesOf = (kind: string) => notes.filter((note) => note.kind === kind);
    expect(bytesOf("page.segment").map((note) => note.data["segmentId"])).toEqual(segments);
  });
});

test("a pinned page is never spilled", async () => {
  await withContext(async ({ context }) => {
    const [page] = context.allocate({ content: "The lamp was lit.", kind: "document" });
    context.patch(page?.id ?? "", { pinned: true });
    context.allocate({ content: SPACE.repeat(9_000), kind: "document" });
    await context.reclaim();
    expect(context.get(page?.id ?? "")).toMatchObject({ value: { tier: "warm" } });
  });
});

test("an exchange larger than a segment does not keep all that is younger from being spilled", async () => {
  await withContext(
    async ({ context, again }) => {
      const ids = ["a", "b", "c", "d", "e", "f"];
      const calls = ids.map((id) => ({ id, type: "function" as const, function: { name: "look", arguments: PART } }));
      context.appendMessage("Read all logs.", "user");
      const [large] = context.appendExchange([
        { role: "assistant", content: null, tool_calls: calls },
        ...ids.map((id): ChatMessage => ({ role: "tool", tool_call_id: id, content: PART })),
      ]);
      expect(large?.bytes).toBeGreaterThan(LIMITS.segmentBytes);
      context.appendMessage("And now?", "user");
      const narrow = again({ windowTokens: WINDOW.windowTokens });
      await narrow.reclaim();
      expect(tierOf(narrow, large?.id ?? "")).toBe("warm");
      narrow.allocate({ content: SPACE.repeat(9_000), kind: "document" });
      await narrow.reclaim();
      expect(narrow.warmBytes()).toBeLessThanOrEqual(LIMITS.warmHighBytes);
    },
    { windowTokens: 2_000_000, pageTokens: 4_096 },
  );
});
