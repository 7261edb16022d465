import { RpcTarget } from "cloudflare:workers";
import type { Sandbox, SandboxHost, SandboxRequest } from "../../kernel/security/sandbox/sandbox.ts";

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

/** What is lent, as a thing that RPC can call. */
class LentHost extends RpcTarget implements SandboxHost {
  readonly #host: SandboxHost;

  constructor(host: SandboxHost) {
    super();
    this.#host = host;
  }

  readFile(path: string) {
    return this.#host.readFile(path);
  }

  listFiles(prefix: string) {
    return this.#host.listFiles(prefix);
  }

  fetch(request: SandboxRequest) {
    return this.#host.fetch(request);
  }
}
