import { beforeAll, describe, expect, test } from "vitest";
import type { FileEntry } from "../../kernel/storage/driver.ts";
import { boot, json, problem, request, spawnDaemon } from "./kernel-client.ts";

let files: string;

beforeAll(async () => {
  await boot();
  files = `/v1/agents/${(await spawnDaemon()).id}/files`;
});

const put = (path: string, raw: BodyInit, headers: Record<string, string> = {}) =>
  request("PUT", `${files}/${path}`, { raw, headers });

describe("a file", () => {
  test("is written, replaced, read, listed and deleted", async () => {
    const created = await put("notes/a.txt", "one");
    expect([created.status, created.headers.get("ETag")]).toEqual([201, '"1"']);
    expect(await created.json()).toMatchObject({ path: "/workspace/notes/a.txt", version: 1, bytes: 3 });
    const replaced = await put("notes/a.txt", "two!");
    expect([replaced.status, replaced.headers.get("ETag")]).toEqual([200, '"2"']);

    const read = await request("GET", `${files}/notes/a.txt`);
    expect([await read.text(), read.headers.get("ETag")]).toEqual(["two!", '"2"']);
    const listed = await json<{ items: FileEntry[] }>(200, "GET", `${files}?prefix=notes/`);
    expect(listed.items.map((file) => file.path)).toEqual(["/workspace/notes/a.txt"]);

    expect((await request("DELETE", `${files}/notes/a.txt`)).status).toBe(204);
    await problem(404, "not_found", "GET", `${files}/notes/a.txt`);
    await problem(404, "not_found", "DELETE", `${files}/notes/a.txt`);
  });

  test("is read and written again as it was before it was overwritten or deleted", async () => {
    for (const text of ["first", "second", "third"]) await put("past/a.txt", text);
    const versions = `${files.replace(/files$/, "file-versions")}/past/a.txt`;
    const kept = async () => (await json<{ items: FileEntry[] }>(200, "GET", versions)).items.map((one) => one.version);
    expect(await kept()).toEqual([2, 1]);
    const second = await request("GET", `${files}/past/a.txt?version=2`);
    expect([await second.text(), second.headers.get("ETag")]).toEqual(["second", '"2"']);

    expect((await request("DELETE", `${files}/past/a.txt`)).status).toBe(204);
    expect(await kept()).toEqual([3, 2, 1]);
    const back = await json<FileEntry>(200, "POST", versions, { body: { version: 1 } });
    expect(back).toMatchObject({ path: "/workspace/past/a.txt", version: 4, bytes: 5 });
    expect(await (await request("GET", `${files}/past/a.txt`)).text()).toBe("first");

    await problem(404, "not_found", "POST", versions, { body: { version: 99 } });
    await problem(422, "invalid_input", "POST", versions, { body: { version: "1" } });
    await problem(422, "invalid_input", "GET", `${files}/past/a.txt?version=0`);
  });

  test("is the same with and without its mount, and with slashes encoded", async () => {
    expect((await put("same.txt", "x")).status).toBe(201);
    for (const path of [
      "same.txt",
      "workspace/same.txt",
      "/workspace/same.txt",
      "%2Fworkspace%2Fsame.txt",
      "./same.txt",
    ]) {
      const response = await request("GET", `${files}/${path}`);
      expect([path, await response.text()]).toEqual([path, "x"]);
    }
  });

  test("holds any bytes, and its name any language", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const path = `${encodeURIComponent("笔记 100%")}/${encodeURIComponent("a?b#c")}.bin`;
    expect((await put(path, bytes)).status).toBe(201);
    const response = await request("GET", `${files}/${path}`);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(bytes);
    expect(response.headers.get("Content-Type")).toBe("application/octet-stream");
  });

  test("that looks like a page is served as text that nothing runs", async () => {
    await put("page.html", "<script>alert(1)</script>");
    const { headers } = await request("GET", `${files}/page.html`);
    expect(headers.get("Content-Type")).toBe("text/plain; charset=utf-8");
    expect(headers.get("Content-Security-Policy")).toContain("sandbox");
  });

  test("may be empty", async () => {
    expect((await put("empty", "")).status).toBe(201);
    expect(await (await request("GET", `${files}/empty`)).text()).toBe("");
  });

  test("is written only over the version that the writer knows", async () => {
    await put("v.txt", "1");
    expect((await put("v.txt", "2", { "If-Match": '"1"' })).status).toBe(200);
    await problem(409, "version_conflict", "PUT", `${files}/v.txt`, { raw: "3", headers: { "If-Match": '"1"' } });
    await problem(409, "version_conflict", "PUT", `${files}/v.txt`, { raw: "3", headers: { "If-None-Match": "*" } });
    expect((await put("new.txt", "1", { "If-None-Match": "*" })).status).toBe(201);
    for (const headers of [
      { "If-Match": "1" },
      { "If-Match": '"0"' },
      { "If-Match": '"1", "2"' },
      { "If-None-Match": '"1"' },
    ]) {
      await problem(422, "invalid_input", "PUT", `${files}/v.txt`, { raw: "3", headers: { ...headers } });
    }
    expect(await (await request("GET", `${files}/v.txt`)).text()).toBe("2");
  });

  test("over 16 MiB is 413", async () => {
    await problem(413, "too_large", "PUT", `${files}/big`, { raw: new Uint8Array((16 << 20) + 1) });
  });

  test("of exactly 16 MiB is kept whole", async () => {
    const bytes = new Uint8Array(16 << 20).fill(7);
    expect((await put("full", bytes)).status).toBe(201);
    const read = await (await request("GET", `${files}/full`)).arrayBuffer();
    expect(read.byteLength).toBe(bytes.length);
  });
});

describe("a path", () => {
  test.each([
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e%2fother",
    "a%2f..%2f..%2fb",
    "workspace%2f..%2f..%2fproc",
    "%00",
    "a%00b",
    "a%0ab",
    "%zz",
    "%ff",
    "a%5cb",
    "",
    "a//b",
    "folder/",
    "x".repeat(600),
  ])("of %s is 422", async (path) => {
    const { errors = [] } = await problem(422, "invalid_input", "PUT", `${files}/${path}`, { raw: "x" });
    if (errors.length > 0) expect(errors[0]?.path).toBe("path.path");
    await problem(422, "invalid_input", "GET", `${files}/${path}`);
  });

  test("in a mount that is not there is 404", async () => {
    await problem(404, "not_found", "GET", `${files}/%2Fetc%2Fpasswd`);
  });
});
