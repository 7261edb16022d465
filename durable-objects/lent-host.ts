import { RpcTarget } from "cloudflare:workers";
import type { SandboxHost, SandboxRequest } from "../kernel/security/sandbox/sandbox.ts";

/** What a run of the sandbox is lent, as a thing that RPC can call: nothing but these three. */
export class LentHost extends RpcTarget implements SandboxHost {
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
