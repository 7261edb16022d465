import type { Sandbox, SandboxEnd } from "../../kernel/security/sandbox/sandbox.ts";
import type { Env } from "../env.ts";
import { runInLoader } from "./loader-run.ts";
import { runInQuickJs } from "./quickjs-run.ts";

/** Which driver runs programs: `AOS_SANDBOX`, by default QuickJS. */

export const SANDBOX_DRIVERS = ["quickjs", "loader"] as const;
export type SandboxDriver = (typeof SANDBOX_DRIVERS)[number];

/** Whether a limit holds `always`, or only `deployed`, where the platform enforces it. One contract suite reads this. */
export const PROMISES: Record<SandboxDriver, Record<SandboxEnd, "always" | "deployed">> = {
  quickjs: { error: "always", gas: "always", memory: "always", stack: "always", output: "always", wall: "always" },
  loader: { error: "always", gas: "deployed", memory: "deployed", stack: "always", output: "always", wall: "always" },
};

/** Throws for a setting that nothing can run under: the operator's mistake, not the program's. */
export function chosenSandbox({ AOS_SANDBOX: driver = "quickjs", LOADER: loader }: Env): Sandbox {
  if (driver === "quickjs") return { run: runInQuickJs };
  if (driver !== "loader") throw new Error(`AOS_SANDBOX takes ${SANDBOX_DRIVERS.join(" or ")}`);
  if (loader === undefined)
    throw new Error("AOS_SANDBOX=loader needs the binding LOADER: add [[worker_loaders]] to wrangler.toml");
  return { run: (program, host) => runInLoader(loader, program, host) };
}
