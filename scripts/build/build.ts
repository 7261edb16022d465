import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { bundleClients, bundleWorker } from "./bundles.ts";
import { emitDeclarations } from "./declarations.ts";
import { inputStamp, writtenStamp } from "./input-stamp.ts";
import { bakeWorkerOptions } from "./worker-options.ts";

/** Sources to `dist/`: the Worker with its options, the SDK with its types, and the CLI. */

const ROOT = resolve(import.meta.dirname, "../..");
const DIST = join(ROOT, "dist");
const STAMP = "build-stamp";

/** Builds when an input changed, or always with `force`. `fresh` says whether it did. */
export async function build({ force = false } = {}): Promise<{ fresh: boolean; ms: number }> {
  const started = performance.now();
  const stamp = inputStamp(ROOT);
  const fresh = force || writtenStamp(join(DIST, STAMP)) !== stamp;
  if (fresh) await buildInto(DIST, stamp);
  return { fresh, ms: Math.round(performance.now() - started) };
}

/** Builds beside `dist/` and swaps at the end, so that a failed build leaves the old one whole. */
async function buildInto(dist: string, stamp: string): Promise<void> {
  // Ignored by git, and as deep as dist/, so that the paths in source maps hold.
  const next = join(ROOT, `.aos-build-${process.pid}`);
  await mkdir(join(next, "worker"), { recursive: true });
  try {
    await all([
      bundleWorker(ROOT, join(next, "worker")),
      bakeWorkerOptions(ROOT, join(next, "worker-options.json")),
      bundleClients(ROOT, next),
      emitDeclarations(ROOT, next),
    ]);
    await writeFile(join(next, STAMP), stamp);
    await swap(next, dist);
  } finally {
    await rm(next, { recursive: true, force: true });
  }
}

/** Waits for all, also when one fails: the folder they write to goes then. */
async function all(work: Promise<void>[]): Promise<void> {
  const failure = (await Promise.allSettled(work)).find((outcome) => outcome.status === "rejected");
  if (failure) throw failure.reason;
}

/** When another build came first, its tree stays: it read the same sources. */
async function swap(next: string, dist: string): Promise<void> {
  const old = `${next}-old`;
  await rename(dist, old).catch(ignore("ENOENT"));
  await rename(next, dist).catch(ignore("ENOTEMPTY", "EEXIST"));
  await rm(old, { recursive: true, force: true });
}

function ignore(...codes: string[]): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (!codes.includes(error.code ?? "")) throw error;
  };
}
