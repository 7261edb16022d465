import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { KernelClient } from "../../clients/sdk/index.ts";
import { aos, cleanEnvironment, KernelProcess } from "../e2e/runtime/kernel-process.ts";

const AOS = resolve(import.meta.dirname, "../../dist/cli/aos.js");
const SECRET = "the-secret-of-the-tide";

let kernel: KernelProcess;

beforeAll(async () => {
  kernel = await KernelProcess.start();
});

afterAll(() => kernel.dispose());

const cli = (...line: string[]) => aos(["credentials", ...line], { AOS_STATE: kernel.state });

/** The same with the secret on standard input. */
function add(input: string, ...line: string[]) {
  const env = cleanEnvironment({ AOS_STATE: kernel.state });
  return spawnSync(process.execPath, [AOS, "credentials", "add", ...line], { env, input, encoding: "utf8" });
}

it("aos credentials stores what stands on standard input, and shows it to nobody", async () => {
  const host = ["--host", "api.example.com", "--from-stdin"];
  expect(add(`${SECRET}\n`, "tide", ...host)).toMatchObject({ status: 0, stderr: "" });
  expect(add(SECRET, "moon", ...host, "--header", "X-Api-Key").stdout).toMatch(/^moon version 1: [0-9a-f]{16}\n$/);
  expect(add("", "empty", ...host).status).toBe(2);
  expect(add(SECRET, "nowhere", "--from-stdin").status).toBe(2);
  const listed = await cli("--json");
  expect(JSON.parse(listed.stdout)).toMatchObject({ items: [{ name: "moon" }, { name: "tide" }] });
  expect((await cli("list")).stdout).toMatch(/^tide +api\.example\.com +1 /m);
  expect(listed.stdout).not.toContain(SECRET);
  expect((await cli("reseal")).stdout).toBe("0 sealed anew, 0 opened by neither key\n");
  expect((await cli("rm", "tide")).code).toBe(0);
  expect((await cli("rm", "tide")).code).toBe(1);
});

it("the SDK stores, lists and removes", async () => {
  const { credentials } = new KernelClient({ baseUrl: kernel.url, apiKey: kernel.adminKey });
  const stored = await credentials.store({ name: "sun", hosts: ["*.example.com"], headers: { "X-Key": SECRET } });
  const items = [];
  for await (const item of credentials.list()) items.push(item);
  expect(items).toContainEqual(stored);
  await credentials.remove("sun");
  expect(await credentials.reseal()).toEqual({ resealed: 0, lost: 0 });
});

it("the key that seals them is made once and is for its owner's eyes only", async () => {
  const file = join(kernel.state, "secrets-key");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, "utf8")).toMatch(/^[\w-]{43}\n$/);
});
