import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import type { SandboxHost } from "../../../kernel/security/sandbox/sandbox.ts";
import { CODE_LIMITS } from "../../../kernel/syscalls/code.ts";
import type { Env } from "../../../workers/env.ts";
import { chosenSandbox, PROMISES, SANDBOX_DRIVERS } from "../../../workers/sandbox/drivers.ts";
import { sandboxContract } from "../../contracts/sandbox.ts";

/** The same suite for every driver, over QuickJS and over isolates that workerd's own loader makes. */

const bound = env as unknown as Env;
const { LOADER: _loader, ...unbound } = bound;

for (const driver of SANDBOX_DRIVERS) {
  const sandbox = chosenSandbox({ ...bound, AOS_SANDBOX: driver });
  sandboxContract(driver, { sandbox, promises: PROMISES[driver] });
}

test("the loader's isolate has no way out: no network, no bindings, no modules of the platform's own", async () => {
  const code = `
    const tried = (work) => Promise.resolve().then(work).catch(() => "none");
    return [
      await tried(async () => Object.keys((await import("cloudflare:workers")).env).length),
      await tried(async () => typeof (await import("node:fs"))),
      await tried(async () => { await (await import("cloudflare:sockets")).connect("127.0.0.1:1").opened; return "open"; }),
      await tried(async () => typeof fetch),
    ];`;
  const program = { code, input: "null", limits: CODE_LIMITS, network: false };
  const outcome = await chosenSandbox({ ...bound, AOS_SANDBOX: "loader" }).run(program, {} as SandboxHost);
  expect(outcome.ok ? outcome.value : outcome.message).toBe('[0,"none","none","undefined"]');
});

test("a setting that nothing can run under is named", () => {
  expect(() => chosenSandbox({ ...bound, AOS_SANDBOX: "docker" })).toThrow("AOS_SANDBOX takes quickjs or loader");
  expect(() => chosenSandbox({ ...unbound, AOS_SANDBOX: "loader" })).toThrow(/needs the binding LOADER/);
  expect(() => chosenSandbox(unbound)).not.toThrow();
});
