import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../kernel/limits.ts";
import { Caller } from "./calling.ts";

describe("an agent's files", () => {
  test("are written, read, listed and deleted by any spelling of their path", async () => {
    const agent = new Caller();
    expect(await agent.call("file_write", { path: "notes/./a.txt", content: "héllo" })).toEqual({
      ok: true,
      value: { path: "/workspace/notes/a.txt", version: 1, bytes: 6 },
    });
    expect(await agent.call("file_read", { path: "/workspace/notes/a.txt" })).toEqual({
      ok: true,
      value: {
        path: "/workspace/notes/a.txt",
        version: 1,
        bytes: 6,
        offset: 0,
        remainingBytes: 0,
        nextOffset: null,
        content: "héllo",
      },
    });
    const line = { path: "/workspace/notes/a.txt", bytes: 6, version: 1, updatedAt: "2026-01-01T00:00:00.000Z" };
    for (const path of [undefined, ".", "/", "notes", "notes/", "/workspace/notes/a.txt"]) {
      expect(await agent.call("file_list", { path }), path).toEqual({
        ok: true,
        value: { items: [line], nextCursor: null },
      });
    }
    expect(await agent.call("file_list", { path: "note" })).toMatchObject({ value: { items: [] } });
    expect(await agent.call("file_delete", { path: "notes/a.txt" })).toEqual({
      ok: true,
      value: { path: "/workspace/notes/a.txt", deleted: true },
    });
    expect(await agent.call("file_read", { path: "notes/a.txt" })).toMatchObject({ error: { code: "not_found" } });
  });

  test("are written and deleted once by a call that a crash repeats", async () => {
    const agent = new Caller();
    const input = { path: "a.txt", content: "mine", ifVersion: 0 };
    const first = await agent.call("file_write", input, "call_w");
    await agent.call("file_write", { path: "a.txt", content: "theirs" });
    expect(await agent.call("file_write", input, "call_w")).toEqual(first);
    expect(await agent.call("file_read", { path: "a.txt" })).toMatchObject({
      value: { version: 2, content: "theirs" },
    });
    const gone = await agent.call("file_delete", { path: "a.txt" }, "call_d");
    expect(await agent.call("file_delete", { path: "a.txt" }, "call_d")).toEqual(gone);
    expect(await agent.call("file_delete", { path: "a.txt" })).toMatchObject({ error: { code: "not_found" } });
  });

  test("are not written over a version that nobody read", async () => {
    const agent = new Caller();
    await agent.call("file_write", { path: "a.txt", content: "1" });
    await agent.call("file_write", { path: "a.txt", content: "2", ifVersion: 1 });
    expect(await agent.call("file_write", { path: "a.txt", content: "3", ifVersion: 1 })).toMatchObject({
      error: { code: "version_conflict" },
    });
  });

  test("come in parts when they are long, and say how to read on", async () => {
    const agent = new Caller();
    const content = "文字".repeat(LIMITS.fileReadBytes / 4);
    await agent.call("file_write", { path: "long.txt", content });
    let [text, offset, parts]: [string, unknown, number] = ["", 0, 0];
    while (offset !== null && parts++ < 10) {
      const read = await agent.call("file_read", { path: "long.txt", offset });
      if (!read.ok) throw new Error(read.error.message);
      expect(read.value["remainingBytes"]).toBe(
        content.length * 3 - (Number(read.value["nextOffset"]) || content.length * 3),
      );
      text += read.value["content"];
      offset = read.value["nextOffset"];
    }
    expect([text === content, parts]).toEqual([true, 2]);
  });

  test("that are binary are not shown as text", async () => {
    const agent = new Caller();
    await agent.files.put("a.png", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0));
    expect(await agent.call("file_read", { path: "a.png" })).toMatchObject({
      error: {
        code: "unsupported_media_type",
        message: "/workspace/a.png (5 bytes) is binary: only UTF-8 text can be read here.",
      },
    });
  });

  test("lie in the agent's own mounts and nowhere else", async () => {
    const agent = new Caller();
    for (const path of ["../a", "/workspace/../etc/passwd", "a\\b", "a\0"]) {
      for (const name of ["file_read", "file_write", "file_delete", "file_list"]) {
        const input = name === "file_write" ? { path, content: "x" } : { path };
        expect(await agent.call(name, input), `${name} ${path}`).toMatchObject({ error: { code: "invalid_input" } });
      }
    }
    expect(await agent.call("file_read", { path: "/etc/passwd" })).toMatchObject({
      error: { code: "not_found", message: "Nothing is mounted at /etc. Mounts: /workspace." },
    });
  });

  test("are listed in pages when they are many", async () => {
    const agent = new Caller();
    for (let i = 0; i <= LIMITS.fileListMax; i++) await agent.call("file_write", { path: `${1_000 + i}`, content: "" });
    const first = await agent.call("file_list", {});
    if (!first.ok) throw new Error(first.error.message);
    const rest = await agent.call("file_list", { cursor: first.value["nextCursor"] });
    expect(rest).toMatchObject({
      value: { items: [{ path: `/workspace/${1_000 + LIMITS.fileListMax}` }], nextCursor: null },
    });
  });

  test("hold text that UTF-8 can write", async () => {
    await expect(new Caller().call("file_write", { path: "a", content: "\ud800" })).rejects.toThrow("surrogate");
  });
});
