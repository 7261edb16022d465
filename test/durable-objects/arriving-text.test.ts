import { describe, expect, test } from "vitest";
import type { TextStream } from "../../kernel/context/page.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { TestTenant, value } from "../support/tenant.ts";

/** A text of megabytes comes to an agent's object as a stream. */

const TEXT = "The keeper wrote 灯塔 into the log, and the tide turned. ".repeat(20_000);

/** `text` in parts of `size` bytes, which cut characters; after it `extra` bytes are still expected when it ends, or breaks. */
function streamOf(text: string, size: number, { extra = 0, breaks = false } = {}): TextStream {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  const stream = new ReadableStream({
    type: "bytes",
    pull: (controller) => {
      const part = bytes.slice(at, at + size);
      at += size;
      if (part.length > 0) controller.enqueue(part);
      else if (breaks) controller.error(new Error("the connection broke"));
      else controller.close();
    },
  });
  return { bytes: bytes.length + extra, stream };
}

async function agent() {
  const tenant = new TestTenant();
  return tenant.agent(await tenant.daemon());
}

const pagesOf = async (on: Awaited<ReturnType<typeof agent>>) =>
  value(await on.pages({ limit: LIMITS.pageListMax })).items.map(({ sha256 }) => sha256);

describe("a text that arrives as a stream", () => {
  test("becomes the very pages of the string", async () => {
    const [whole, streamed] = [await agent(), await agent()];
    const text = TEXT.slice(0, 300_000);
    value(await whole.addPages({ content: text }, "key:test"));
    value(await streamed.addPages({ content: streamOf(text, 1_001) }, "key:test"));
    expect(await pagesOf(streamed)).toEqual(await pagesOf(whole));
  });

  test("sent again with its key is the same act, however it was cut", async () => {
    const on = await agent();
    const send = (content: string, size: number) =>
      on.addPages({ content: streamOf(content, size) }, "key:test", { idempotencyKey: "text-1" });
    const first = value(await send(TEXT, 64_000));
    expect(value(await send(TEXT, 9_999))).toEqual(first);
    expect(await send(`${TEXT}!`, 64_000)).toMatchObject({ ok: false, error: { code: "idempotency_mismatch" } });
  });

  test.each([
    ["breaks off", true],
    ["was cut, and looks ended", false],
  ])("and %s leaves nothing behind", async (_, breaks) => {
    const on = await agent();
    const before = await pagesOf(on);
    expect(await on.addPages({ content: streamOf(TEXT, 64_000, { extra: 1, breaks }) }, "key:test")).toMatchObject({
      ok: false,
      error: { code: "unavailable", message: expect.stringContaining("nothing of it was stored") },
    });
    expect(await pagesOf(on)).toEqual(before);
  });

  test("and is longer than a request may be is refused", async () => {
    const on = await agent();
    const content = streamOf("x".repeat(LIMITS.requestBytes + 1), 1_000_000);
    expect(await on.addPages({ content }, "key:test")).toMatchObject({ ok: false, error: { code: "too_large" } });
  });
});
