import type { Sandbox } from "../../kernel/security/sandbox/sandbox.ts";
import { LentHost } from "../lent-host.ts";

/**
 * The sandbox as an agent's object reaches it: an entrypoint of the same Worker, outside of the object, which calls back for
 * what it lends.
 */
export function sandboxPort(ctx: DurableObjectState): Sandbox {
  return {
    run: (program, host) => {
      const { Sandbox: entrypoint } = ctx.exports as unknown as { Sandbox: Sandbox };
      return entrypoint.run(program, new LentHost(host));
    },
  };
}
