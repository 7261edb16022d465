import { expect, test } from "vitest";
import { LIMITS } from "../../kernel/limits.ts";
import type { FileEntry } from "../../kernel/storage/driver.ts";
import { MemoryStorage } from "../../kernel/storage/drivers/memory.ts";
import { Mounts } from "../../kernel/storage/mounts.ts";
import { resolvePath } from "../../kernel/storage/path.ts";
import { nodeHash, TestClock } from "../support/ports.ts";
import { boot, json, request, spawnDaemon } from "../workers/kernel-client.ts";
import { figure } from "./figure.ts";
import { HostilePaths } from "./hostile-paths.ts";

/**
 * S4: hostile paths over the mounts, and a share of them over HTTP. What they must not reach stands where a path that climbs
 * would find it: beside the mount in the same store, and in another tenant.
 */

const SEED = 4;
const PATHS = 100_000;
const OVER_HTTP = 2_000;
const CANARY = "canary-4b1d";
const OUTSIDE = [
  "/secret/canary.txt",
  "/etc/passwd",
  "/proc/self/environ",
  "/workspace2/canary.txt",
  "/canary.txt",
  "secret/canary.txt",
];

function mountNamed(text: string): string | undefined {
  if (!text.startsWith("/")) return "workspace";
  return text.split("/").find((name) => name !== "" && name !== ".") ?? "";
}

/** What is wrong with the one spelling of a path, by another reading than the code's own. */
function wrongIn(path: string, text: string): string | null {
  if (path.split("/")[1] !== mountNamed(text.normalize("NFC"))) return "it left the mount that it named";
  if (text.normalize("NFC").length > LIMITS.filePathChars) return "it was given too long";
  if (!path.startsWith("/") || /\/\/|\\|\p{Cc}|[\u202A-\u202E]/u.test(path)) return "it is no clean absolute path";
  if (path.split("/").some((name) => name === "." || name === "..")) return "it holds dot segments";
  if (path !== path.normalize("NFC") || !path.isWellFormed()) return "it has another spelling";
  return path.length > LIMITS.filePathChars ? "it is too long" : null;
}

/** Whatever a driver is asked for stands below its mount. */
class Watched extends MemoryStorage {
  readonly seen: string[] = [];

  override get(path: string) {
    this.seen.push(path);
    return super.get(path);
  }

  override put(path: string, bytes: Uint8Array) {
    this.seen.push(path);
    return super.put(path, bytes);
  }
}

async function storeWithSecrets(): Promise<Watched> {
  const store = new Watched({ clock: new TestClock(), hash: nodeHash });
  for (const path of OUTSIDE) await store.put(path, new TextEncoder().encode(CANARY));
  store.seen.length = 0;
  return store;
}

test("100,000 hostile paths reach nothing outside of their mount, and 2,000 of them nothing over HTTP", async () => {
  const store = await storeWithSecrets();
  const mounts = new Mounts({ "/workspace": store });
  const paths = new HostilePaths(SEED);
  const escapes: string[] = [];
  let resolved = 0;
  for (let i = 0; i < PATHS; i++) {
    const path = paths.next();
    const way = resolvePath(path);
    if (!way.ok) continue;
    resolved++;
    const wrong = wrongIn(way.value, path);
    if (wrong !== null) escapes.push(`${JSON.stringify(path)}: ${wrong}`);
    const got = await mounts.get(path);
    if (got.ok && new TextDecoder().decode(got.value.bytes).includes(CANARY))
      escapes.push(`${JSON.stringify(path)}: read`);
    if (i % 20 === 0) await mounts.put(path, new TextEncoder().encode("mine"));
  }
  for (const path of store.seen) if (!path.startsWith("/workspace/")) escapes.push(`${path}: asked of the driver`);
  for (const path of OUTSIDE) {
    const left = await store.get(path);
    if (!left.ok || new TextDecoder().decode(left.value.bytes) !== CANARY) escapes.push(`${path}: written`);
  }
  // The stories would be worth nothing if every path were refused.
  expect(resolved).toBeGreaterThan(PATHS / 20);
  const http = await overHttp(paths);
  figure(
    "S4",
    `${PATHS.toLocaleString("en")} hostile paths (${resolved} resolved, ${OVER_HTTP} over HTTP): ${escapes.length + http.length} escapes`,
  );
  expect([...escapes, ...http].slice(0, 10)).toEqual([]);
});

/** As a client of one tenant sends them, percent-encoded by no, one and two rounds; the secret is another tenant's. */
async function overHttp(paths: HostilePaths): Promise<string[]> {
  await boot();
  const own = await spawnDaemon();
  const { id: tenant } = await json<{ id: string }>(201, "POST", "/v1/tenants", { body: { name: "Others" } });
  const body = { name: "other", role: "r", goal: "g", daemon: true };
  const other = await json<{ id: string }>(201, "POST", "/v1/agents", { body, tenant });
  await request("PUT", `/v1/agents/${other.id}/files/canary.txt`, { raw: CANARY, tenant });
  const escapes: string[] = [];
  for (let i = 0; i < OVER_HTTP; i++) {
    const path = i % 50 === 0 ? `../../${other.id}/files/canary.txt` : paths.next().toWellFormed();
    const once = encodeURIComponent(path);
    const spelt = [encodeURI(path), once, encodeURIComponent(once)][i % 3] ?? "";
    const method = i % 10 === 0 ? "PUT" : "GET";
    const response = await request(
      method,
      `/v1/agents/${own.id}/files/${spelt}`,
      method === "PUT" ? { raw: "mine" } : {},
    );
    const text = await response.text();
    if (text.includes(CANARY)) escapes.push(`${spelt}: read over HTTP`);
    if (response.status >= 500) escapes.push(`${spelt}: ${response.status}`);
  }
  const left = await request("GET", `/v1/agents/${other.id}/files/canary.txt`, { tenant });
  if ((await left.text()) !== CANARY) escapes.push("the other tenant's file was written");
  const stored = await json<{ items: FileEntry[] }>(200, "GET", `/v1/agents/${own.id}/files?limit=200`);
  const outside = stored.items.filter((file) => !file.path.startsWith("/workspace/"));
  return [...escapes, ...outside.map((file) => `${file.path}: stored`)];
}
