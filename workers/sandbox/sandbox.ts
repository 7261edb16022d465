import { WorkerEntrypoint } from "cloudflare:workers";
import type { SandboxHost, SandboxOutcome, SandboxProgram } from "../../kernel/security/sandbox/sandbox.ts";
import type { Env } from "../env.ts";
import { chosenSandbox } from "./drivers.ts";

/** Runs code that models wrote, outside of the objects whose agents asked for it. */
export class Sandbox extends WorkerEntrypoint<Env> {
  run(program: SandboxProgram, host: SandboxHost): Promise<SandboxOutcome> {
    return chosenSandbox(this.env).run(program, host);
  }
}
