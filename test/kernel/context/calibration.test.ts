import { expect, test } from "vitest";
import type { ContextManager } from "../../../kernel/context/context-manager.ts";
import { estimateTokens } from "../../../kernel/context/tokens.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { ToolDefinition } from "../../../kernel/llm/chat.ts";
import { prose, WINDOW, withContext } from "./rig.ts";

/** Token counts are estimates: what the vendor bills corrects them. */

const TOOLS: ToolDefinition[] = [
  { type: "function", function: { name: "look", description: prose(20), parameters: { type: "object" } } },
];

function estimateOf(context: ContextManager, tools: ToolDefinition[] = []): number {
  const prompt = context.assemble(tools);
  if (!prompt.ok) throw new Error(prompt.error.message);
  return prompt.value.estimatedTokens;
}

/** A vendor that counts `ratio` of its tokens for one of ours: what it bills does not depend on what we learned. */
function vendor(context: ContextManager, uncalibrated: ContextManager, ratio: number) {
  let said = 0;
  return (): number => {
    context.appendMessage(`Question ${said++}. ${prose(3)}`, "user");
    const billed = Math.round(plainEstimate(uncalibrated) * ratio);
    const estimated = estimateOf(context);
    context.calibrate(estimated, billed);
    return estimated / billed;
  };
}

/** Our count of the same prompt without what was learned. */
function plainEstimate(context: ContextManager): number {
  const prompt = context.assemble([]);
  if (!prompt.ok) throw new Error(prompt.error.message);
  return prompt.value.messages.reduce((sum, message) => sum + estimateTokens(message.content ?? "") + 6, 0);
}

for (const ratio of [1.5, 0.7, 2.2])
  test(`estimates come within 20% of a vendor that counts ${ratio} tokens for one of ours, and stay there`, async () => {
    await withContext(({ context }) => {
      const call = vendor(context, context, ratio);
      const errors = Array.from({ length: 20 }, () => Math.abs(call() - 1));
      expect(errors[0]).toBeGreaterThan(0.25);
      for (const error of errors.slice(6)) expect(error).toBeLessThan(0.2);
      for (const error of errors.slice(14)) expect(error).toBeLessThan(0.05);
    });
  });

test("one strange bill does not throw away what was learned", async () => {
  await withContext(({ context }) => {
    const call = vendor(context, context, 1.5);
    for (let i = 0; i < 12; i++) call();
    context.calibrate(estimateOf(context), 100 * estimateOf(context));
    expect(Math.abs(call() - 1)).toBeLessThan(0.25);
  });
});

test("a vendor that bills nothing, or a call that was estimated at nothing, teaches nothing", async () => {
  await withContext(({ context }) => {
    context.appendMessage(prose(3), "user");
    const before = estimateOf(context);
    context.calibrate(before, 0);
    context.calibrate(0, 1_000);
    expect(estimateOf(context)).toBe(before);
  });
});

test("what was learned is there after the object was rebuilt", async () => {
  await withContext(({ context, again }) => {
    const call = vendor(context, context, 1.5);
    for (let i = 0; i < 8; i++) call();
    const rebuilt = again();
    expect(estimateOf(rebuilt)).toBe(estimateOf(context));
    expect(Math.abs(vendor(rebuilt, rebuilt, 1.5)() - 1)).toBeLessThan(0.12);
  });
});

test("a vendor that counts more gets a shorter prompt: by its own count it fits the window", async () => {
  await withContext(async ({ context }) => {
    const call = vendor(context, context, 1.5);
    for (let i = 0; i < 14; i++) call();
    for (let i = 0; i < 200; i++) {
      context.appendMessage(`Question ${i}. ${prose(4)}`, "user");
      context.appendReply(`Answer ${i}. ${prose(4)}`);
      if (context.needsReclaim()) await context.reclaim();
      expect(plainEstimate(context) * 1.5).toBeLessThanOrEqual(WINDOW.windowTokens);
    }
    expect(context.stats().evictions).toBeGreaterThan(0);
  });
});

test("the tools of the last call count against the watermarks, and in every estimate", async () => {
  await withContext(({ context }) => {
    const toolTokens = estimateTokens(JSON.stringify(TOOLS));
    const estimated = estimateOf(context, TOOLS);
    expect(estimated - estimateOf(context)).toBe(toolTokens);
    const high = LIMITS.hotHighWatermark * (WINDOW.windowTokens - WINDOW.maxOutputTokens);
    while (context.stats().residentTokens < high - toolTokens / 2) context.appendReply(prose(2));
    expect(context.needsReclaim()).toBe(false);
    context.calibrate(estimated, estimated, TOOLS);
    expect(context.needsReclaim()).toBe(true);
  });
});
