import { chmod, cp } from "node:fs/promises";
import { join } from "node:path";
import * as esbuild from "esbuild";

/** The two bundles: the Worker for workerd, and the SDK with the CLI for Node. */

/** What somebody builds who wants a Worker that is not the product: see test/faults/naive and test/support/doubling-worker. */
interface OtherWorker {
  entry?: string;
  plugins?: readonly esbuild.Plugin[];
}

/** The Worker as workerd modules, `index.js` first: `.sql` as text, `.wasm` as modules beside the code. */
export async function bundleWorker(root: string, target: string, other: OtherWorker = {}): Promise<void> {
  const { entry = "workers/index.ts", plugins = [] } = other;
  await esbuild.build({
    absWorkingDir: root,
    plugins: [...plugins],
    entryPoints: { index: `./${entry}` },
    outdir: target,
    bundle: true,
    format: "esm",
    charset: "utf8",
    target: "es2024",
    platform: "browser",
    mainFields: ["module", "main"],
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    loader: { ".sql": "text", ".wasm": "copy" },
    define: { "process.env.NODE_ENV": '"production"' },
    sourcemap: "linked",
    keepNames: true,
    logLevel: "warning",
  });
}

/** `clients/sdk` and `clients/cli`, sharing chunks. Packages stay imports: npm installs them. */
export async function bundleClients(root: string, target: string): Promise<void> {
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: { "sdk/index": "./clients/sdk/index.ts", "cli/aos": "./clients/cli/aos.ts" },
    outdir: target,
    bundle: true,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    format: "esm",
    target: "node22",
    platform: "node",
    packages: "external",
    keepNames: true,
    sourcemap: "linked",
    logLevel: "warning",
  });
  await cp(join(root, "clients/sdk/runtime/workerd-guard.sh"), join(target, "workerd-guard.sh"));
  await chmod(join(target, "workerd-guard.sh"), 0o755);
  await chmod(join(target, "cli/aos.js"), 0o755);
}
