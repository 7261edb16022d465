import { describe, expect, test } from "vitest";
import { systemHash } from "../../../../durable-objects/ports.ts";
import {
  type CachedReply,
  cachedChat,
  cacheKey,
  embeddingsKey,
  isKeepable,
} from "../../../../kernel/llm/cache/cached-reply.ts";
import { MemoryReplies } from "../../../../kernel/llm/cache/memory-replies.ts";
import { ReplyCache, type SharedReplies } from "../../../../kernel/llm/cache/reply-cache.ts";
import { SingleFlight } from "../../../../kernel/llm/cache/single-flight.ts";
import type { ChatReply, ChatRequest } from "../../../../kernel/llm/chat.ts";
import type { EmbeddingRequest } from "../../../../kernel/llm/embeddings/embedding.ts";

const REPLY: ChatReply = {
  content: "blue",
  reasoning: "",
  toolCalls: [],
  finishReason: "stop",
  usage: { promptTokens: 5, cachedTokens: 0, completionTokens: 1, reasoningTokens: 0, estimated: false },
};
const ENTRY: CachedReply<ChatReply> = { reply: REPLY, costNanoUsd: 12, epoch: 0 };
const REQUEST: ChatRequest = {
  model: "m",
  messages: [{ role: "user", content: "Which colour?" }],
  tools: [],
  maxOutputTokens: 10,
  passed: { seed: 1, top_p: 0.5 },
};

describe("the key of a request", () => {
  const keyOf = (request: ChatRequest, tenant = "t", model = "v/m") => cacheKey(tenant, model, request, systemHash);

  test("does not depend on the order of fields", () => {
    expect(keyOf({ ...REQUEST, passed: { top_p: 0.5, seed: 1 } })).toBe(keyOf(REQUEST));
  });

  test.each([
    ["the text", keyOf({ ...REQUEST, messages: [{ role: "user", content: "Which color?" }] })],
    ["a parameter", keyOf({ ...REQUEST, passed: { seed: 2, top_p: 0.5 } })],
    ["the temperature", keyOf({ ...REQUEST, temperature: 0 })],
    ["the bound of the reply", keyOf({ ...REQUEST, maxOutputTokens: 11 })],
    ["the tenant", keyOf(REQUEST, "other")],
    ["the model", keyOf(REQUEST, "t", "v/n")],
  ])("changes with %s", (_, key) => {
    expect(key).not.toBe(keyOf(REQUEST));
  });

  test("is of no use for a reply that was cut", () => {
    expect([isKeepable(REPLY), isKeepable({ ...REPLY, finishReason: "length" })]).toEqual([true, false]);
  });
});

describe("the key of texts", () => {
  const keyOf = (request: EmbeddingRequest, tenant = "t", model = "v/m") =>
    embeddingsKey(tenant, model, request, systemHash);
  const texts = { model: "m", input: ["a lamp", "the sea"] };

  test("is of the texts in their order, the length of the vectors, the tenant and the model", () => {
    const others = [
      keyOf({ ...texts, input: ["the sea", "a lamp"] }),
      keyOf({ ...texts, input: ["a lampthe sea"] }),
      keyOf({ ...texts, dimensions: 4 }),
      keyOf(texts, "other"),
      keyOf(texts, "t", "v/n"),
    ];
    expect(new Set([...others, keyOf(texts)]).size).toBe(others.length + 1);
    expect(keyOf({ dimensions: undefined, ...texts })).toBe(keyOf(texts));
  });
});

describe("replies in memory", () => {
  const clock = { time: 0, now: () => clock.time };
  const text = JSON.stringify(ENTRY);

  test("leave when they are too old", () => {
    const replies = new MemoryReplies<CachedReply<ChatReply>>(clock, { maxBytes: 1e6, ttlMs: 1_000 });
    replies.put("a", ENTRY, text);
    clock.time += 999;
    expect(replies.get("a")).toBe(ENTRY);
    clock.time += 1;
    expect(replies.get("a")).toBeNull();
  });

  test("make room by the least recently used", () => {
    const replies = new MemoryReplies<CachedReply<ChatReply>>(clock, { maxBytes: 2 * 2 * text.length, ttlMs: 1_000 });
    replies.put("a", ENTRY, text);
    replies.put("b", ENTRY, text);
    replies.get("a");
    replies.put("c", ENTRY, text);
    expect(["a", "b", "c"].map((key) => replies.get(key) !== null)).toEqual([true, false, true]);
  });

  test("that are larger than all room are not taken in", () => {
    const replies = new MemoryReplies<CachedReply<ChatReply>>(clock, { maxBytes: text.length, ttlMs: 1_000 });
    replies.put("a", ENTRY, text);
    expect(replies.get("a")).toBeNull();
  });
});

describe("a cache over a shared level", () => {
  const clock = { now: () => 0 };

  test("finds in another isolate what this one has put", async () => {
    const texts = new Map<string, string>();
    const shared: SharedReplies = {
      get: async (key) => texts.get(key) ?? null,
      put: async (key, text) => void texts.set(key, text),
    };
    await new ReplyCache(clock, cachedChat).put("k", ENTRY, shared);
    const other = new ReplyCache(clock, cachedChat);
    expect(await other.get("k", shared)).toEqual({ found: ENTRY, level: "shared" });
    expect(await other.get("k", shared)).toEqual({ found: ENTRY, level: "memory" });
  });

  test.each([
    ["fails", () => Promise.reject(new Error("KV is away"))],
    ["holds garbage", async () => "{"],
    ["holds what another version wrote", async () => '{"reply":{"text":"blue"}}'],
  ])("has nothing when that level %s", async (_, get) => {
    const shared: SharedReplies = { get, put: () => Promise.reject(new Error("KV is away")) };
    const cache = new ReplyCache(clock, cachedChat);
    expect(await cache.get("k", shared)).toBeNull();
    await cache.put("k", ENTRY, shared);
    expect(await cache.get("k", shared)).toEqual({ found: ENTRY, level: "memory" });
  });
});

describe("a call that several ask for at once", () => {
  const never = new AbortController().signal;

  test("is made once and shared", async () => {
    const flights = new SingleFlight<string>(1_000);
    const landing = Promise.withResolvers<string>();
    const led = flights.lead(
      "k",
      never,
      () => landing.promise,
      (made) => made,
    );
    const joined = [flights.join("k", never), flights.join("k", never)];
    landing.resolve("blue");
    expect(await Promise.all([led, ...joined])).toEqual(["blue", "blue", "blue"]);
    expect(await flights.join("k", never)).toBeNull();
  });

  test("that breaks sends the others on their own way", async () => {
    const flights = new SingleFlight<string>(1_000);
    const landing = Promise.withResolvers<string>();
    const led = flights.lead(
      "k",
      never,
      () => landing.promise,
      (made) => made,
    );
    const joined = flights.join("k", never);
    landing.reject(new Error("cut"));
    await expect(led).rejects.toThrow("cut");
    expect(await joined).toBeNull();
  });

  test("goes on when its first asker leaves, and is given up when the last one does", async () => {
    const flights = new SingleFlight<string>(1_000);
    const [first, second] = [new AbortController(), new AbortController()];
    const seen: { signal?: AbortSignal } = {};
    const landing = Promise.withResolvers<string>();
    const call = (signal: AbortSignal) => {
      seen.signal = signal;
      return landing.promise;
    };
    const led = flights.lead("k", first.signal, call, (made) => made);
    const joined = flights.join("k", second.signal);
    first.abort();
    expect(seen.signal?.aborted).toBe(false);
    second.abort();
    expect(seen.signal?.aborted).toBe(true);
    landing.resolve("late");
    await Promise.all([led, joined]);
  });

  test("is not waited for without end", async () => {
    const flights = new SingleFlight<string>(10);
    const landing = Promise.withResolvers<string>();
    const led = flights.lead(
      "k",
      never,
      () => landing.promise,
      (made) => made,
    );
    expect(await flights.join("k", never)).toBeNull();
    landing.resolve("late");
    expect(await led).toBe("late");
  });
});
