import { EventSourceParserStream } from "eventsource-parser/stream";
import { beforeAll, describe, expect, test } from "vitest";
import type { WatchFrame } from "../../durable-objects/agent/watch.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import { boot, json, problem, request, spawnDaemon } from "./kernel-client.ts";

type Event = { id?: string | undefined; event?: string | undefined; data: string };

beforeAll(boot);

/** The events of a stream, until its end or until `enough`. */
async function eventsOf(path: string, headers: Record<string, string> = {}, enough = (_: Event) => false) {
  const response = await request("GET", path, { headers });
  expect(response.headers.get("Content-Type")).toBe("text/event-stream");
  const text = response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
  const events: Event[] = [];
  for await (const event of text ?? []) {
    events.push(event);
    if (enough(event)) break;
  }
  return events;
}

async function terminated(): Promise<string> {
  const body = { name: "brief", role: "r", goal: "Say hello.", model: "local/reader" };
  const { id } = await json<ControlBlock>(201, "POST", "/v1/agents", { body });
  expect(await json(200, "GET", `/v1/agents/${id}/wait?timeout=15`)).toMatchObject({ state: "terminated" });
  return id;
}

describe("the event stream", () => {
  test("of a process that has ended is its whole log, in order, and then the end", async () => {
    const id = await terminated();
    const events = await eventsOf(`/v1/agents/${id}/events`);
    expect(events.at(-1)?.event).toBe("end");
    const ids = events.flatMap((event) => (event.id === undefined ? [] : [Number(event.id)]));
    expect(ids).toEqual(ids.map((_, i) => i + 1));
    expect(JSON.parse(events[0]?.data ?? "")).toMatchObject({ at: expect.stringMatching(/Z$/) });
  });

  test("goes on after the last event that the client has seen", async () => {
    const id = await terminated();
    const all = await eventsOf(`/v1/agents/${id}/events`);
    const rest = await eventsOf(`/v1/agents/${id}/events`, { "Last-Event-ID": "2" });
    expect(rest).toEqual(all.slice(2));
    expect(await eventsOf(`/v1/agents/${id}/events?after=2`)).toEqual(rest);
    expect(await eventsOf(`/v1/agents/${id}/events?after=1`, { "Last-Event-ID": "2" })).toEqual(rest);
  });

  test("shows live what happens to a process that waits", async () => {
    const { id } = await spawnDaemon();
    await json(200, "GET", `/v1/agents/${id}/wait?timeout=15`);
    let done = 0;
    const isSecondDone = (event: Event) => event.event === "message.done" && ++done === 2;
    const watching = eventsOf(`/v1/agents/${id}/events`, {}, isSecondDone);
    const body = { content: "Hello?", wait: 15 };
    const { messageId } = await json<{ messageId: string }>(200, "POST", `/v1/agents/${id}/messages`, { body });
    const events = await watching;
    expect(JSON.parse(events.at(-1)?.data ?? "")).toMatchObject({ messageId });
  });

  test("can be left and taken up again as often as one likes", async () => {
    const { id } = await spawnDaemon();
    for (let round = 0; round < 80; round++) {
      const [first] = await eventsOf(`/v1/agents/${id}/events`, {}, () => true);
      expect(first?.id).toBe("1");
    }
  });

  test("takes no position that is no number, and none of an unknown agent", async () => {
    const { id } = await spawnDaemon();
    for (const after of ["-1", "x", "1.5", "99999999999999999999"]) {
      await problem(422, "invalid_input", "GET", `/v1/agents/${id}/events?after=${after}`);
      await problem(422, "invalid_input", "GET", `/v1/agents/${id}/events`, { headers: { "Last-Event-ID": after } });
    }
    await problem(404, "not_found", "GET", "/v1/agents/agt_none/events");
  });

  test("needs the key", async () => {
    const { id } = await spawnDaemon();
    await problem(401, "unauthorized", "GET", `/v1/agents/${id}/events`, { key: null });
  });
});

describe("the WebSocket", () => {
  test("brings the same events as frames", async () => {
    const id = await terminated();
    const response = await request("GET", `/v1/agents/${id}/events?after=1`, { headers: { Upgrade: "websocket" } });
    expect(response.status).toBe(101);
    expect(response.headers.get("X-Request-Id")).toMatch(/^req_/);
    const frames = await framesOf(response.webSocket);
    expect(frames[0]).toMatchObject({ id: 2 });
    expect(frames.at(-1)).toMatchObject({ event: "end" });
  });

  test("is refused without the key", async () => {
    const { id } = await spawnDaemon();
    const { status } = await request("GET", `/v1/agents/${id}/events`, {
      headers: { Upgrade: "websocket" },
      key: null,
    });
    expect(status).toBe(401);
  });
});

function framesOf(socket: WebSocket | null): Promise<WatchFrame[]> {
  return new Promise((resolve, reject) => {
    if (socket === null) return reject(new Error("no socket"));
    const frames: WatchFrame[] = [];
    socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as WatchFrame;
      frames.push(frame);
      if (frame.event !== "end") return;
      socket.close();
      resolve(frames);
    });
    socket.accept();
  });
}
