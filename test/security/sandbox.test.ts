import { expect, test } from "vitest";
import type { Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { makeEgress } from "../../kernel/security/egress.ts";
import { reachOf } from "../../kernel/security/reach.ts";
import { MemoryStorage } from "../../kernel/storage/drivers/memory.ts";
import { Mounts } from "../../kernel/storage/mounts.ts";
import type { ToolValue } from "../../kernel/syscall.ts";
import { Caller } from "../kernel/syscalls/calling.ts";
import { nodeHash } from "../support/ports.ts";
import { CountedStorage } from "./counted-storage.ts";
import { ESCAPES, type Escape, OPEN_URL } from "./escapes.ts";
import { figure } from "./figure.ts";

/**
 * S6: programs that try to get out of the sandbox or to use it up, through `code_run` with everything real behind it. Canaries
 * tell whether one reached the host: a secret in its globals, its prototypes, the requests that leave it, the files outside of
 * the workspace. What is meant to end at one limit ends at that one, so that no limit hides that another is gone.
 */

const SECRET = "canary-7f3a";
const ENDED_WITHIN_MS = 2_000;

let requests: string[] = [];
/** Of the bodies that left. */
let longestBody = 0;
const leaves = (async (input: string, { body }: RequestInit = {}) => {
  requests.push(input);
  longestBody = Math.max(longestBody, String(body ?? "").length);
  return new Response(SECRET);
}) as typeof fetch;

/** What a program can only have changed from outside of its engine. */
function hostState(): string {
  const globals = globalThis as unknown as { hostCanary?: unknown };
  const prototypes = [Object, Array, Function, Promise, Map, String].map(
    ({ prototype }) => Reflect.ownKeys(prototype).length,
  );
  return JSON.stringify([globals.hostCanary, prototypes, String(JSON.stringify), String(Promise.prototype.then)]);
}

/** Files beside the mount, in the same store: where a path that climbs would find them. */
const OUTSIDE = ["/etc/passwd", "/secret", "secret", "/proc/self/environ"];

function changedOutside(paths: readonly string[]): string[] {
  const outside = paths.filter((path) => !path.startsWith("/workspace/"));
  const planted = OUTSIDE.map((path) => `${path} version 1`);
  return [...outside.filter((path) => !planted.includes(path)), ...planted.filter((path) => !outside.includes(path))];
}

interface Ended {
  ms: number;
  reached: string[];
  /** How it ended, as its agent is told: a limit by its name, or `returned`. */
  end: string;
}

function endOf(result: Result<ToolValue>): string {
  if (result.ok) return "returned";
  return /^the program ended \((\w+)\)/.exec(result.error.message)?.[1] ?? result.error.code;
}

async function ended({ code, network = false }: Escape): Promise<Ended> {
  const caller = new Caller();
  const store = new MemoryStorage({ clock: caller.clock, hash: nodeHash });
  for (const path of OUTSIDE) await store.put(path, new TextEncoder().encode(SECRET));
  const counted = new CountedStorage(store);
  Object.assign(caller, { files: new Mounts({ "/workspace": counted }) });
  Object.assign(caller.outside, {
    egress: makeEgress({}, { allowed: leaves, public: leaves }),
    reach: reachOf("FULL", []),
  });
  requests = [];
  longestBody = 0;
  const before = hostState();
  const begun = performance.now();
  const result = await caller.call("code_run", { code, input: { a: 1 }, network });
  const ms = performance.now() - begun;
  const told = JSON.stringify(result);
  const stored = await store.list("", { limit: LIMITS.fileListMax });
  const paths = stored.ok ? stored.value.items.map(({ path, version }) => `${path} version ${version}`) : [];
  const reached = [
    ...(told.includes(SECRET) ? [`it was told the secret: ${told.slice(0, 200)}`] : []),
    ...(told.length > 4 * LIMITS.codeOutputBytes ? [`its answer has ${told.length} characters`] : []),
    ...(hostState() === before ? [] : ["it changed the host"]),
    ...requests.filter((url) => url !== OPEN_URL).map((url) => `it sent a request to ${url}`),
    ...(requests.length > LIMITS.codeRequests ? [`it sent ${requests.length} requests`] : []),
    ...(longestBody > LIMITS.codeOutputBytes ? [`it sent a body of ${longestBody} characters`] : []),
    ...(counted.mostAtOnce > 1 ? [`it asked its host for ${counted.mostAtOnce} things at once`] : []),
    ...(counted.reads > LIMITS.codeHostCalls ? [`it asked its host ${counted.reads} times`] : []),
    ...changedOutside(paths).map((path) => `it wrote or lost ${path}`),
  ];
  return { ms, reached, end: endOf(result) };
}

/** On a loaded machine a run may be late for reasons of others: the best of so many counts. */
const TRIES = 3;

async function timed(attempt: Escape): Promise<Ended> {
  let best = await ended(attempt);
  for (let i = 1; i < TRIES && best.ms >= ENDED_WITHIN_MS && best.reached.length === 0; i++) {
    const again = await ended(attempt);
    if (again.ms < best.ms || again.reached.length > 0) best = again;
  }
  return best;
}

test(`${ESCAPES.length} programs that try to get out or to use everything up reach nothing, and each ends within 2 s`, async () => {
  Object.assign(globalThis, { hostCanary: SECRET });
  const reached: string[] = [];
  const otherwise: string[] = [];
  let longest = { ms: 0, name: "" };
  for (const attempt of ESCAPES) {
    const { ms, reached: by, end } = await timed(attempt);
    reached.push(...by.map((what) => `${attempt.name}: ${what}`));
    if (attempt.ends !== undefined && end !== attempt.ends)
      otherwise.push(`${attempt.name}: ended by ${end}, not by ${attempt.ends}`);
    if (ms > longest.ms) longest = { ms, name: attempt.name };
  }
  const seconds = (longest.ms / 1_000).toFixed(1);
  figure(
    "S6",
    `${ESCAPES.length} escapes and exhaustions: host reached ${reached.length}, longest ${seconds} s (${longest.name})`,
  );
  expect(reached).toEqual([]);
  expect(otherwise).toEqual([]);
  expect(longest.ms).toBeLessThan(ENDED_WITHIN_MS);
}, 300_000);
