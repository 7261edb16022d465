import { err, type Result } from "../../kernel/errors.ts";
import type {
  SandboxHost,
  SandboxProgram,
  SandboxRequest,
  SandboxResponse,
} from "../../kernel/security/sandbox/sandbox.ts";

/**
 * What a program may ask of its host, whatever the engine around it lets it do: so many calls, one after the other, with
 * arguments of bounded size, and no network unless it was lent.
 */
export class BoundedHost implements SandboxHost {
  readonly #host: SandboxHost;
  readonly #program: SandboxProgram;
  #calls = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(host: SandboxHost, program: SandboxProgram) {
    this.#host = host;
    this.#program = program;
  }

  readFile(path: string): Promise<Result<string>> {
    return this.#call(path, () => this.#host.readFile(path));
  }

  listFiles(prefix: string): Promise<Result<string[]>> {
    return this.#call(prefix, () => this.#host.listFiles(prefix));
  }

  async fetch(request: SandboxRequest): Promise<Result<SandboxResponse>> {
    if (!this.#program.network) return err("forbidden", "this program was lent no network");
    return this.#call(JSON.stringify(request), () => this.#host.fetch(request));
  }

  #call<T>(argument: unknown, work: () => Promise<Result<T>>): Promise<Result<T>> {
    const refusal = this.#refusal(argument);
    if (refusal !== null) return Promise.resolve(refusal);
    const turn = this.#last.then(work).catch((cause: unknown) => err("internal", String(cause)));
    this.#last = turn;
    return turn;
  }

  #refusal(argument: unknown): ReturnType<typeof err> | null {
    const { hostCalls, outputBytes } = this.#program.limits;
    this.#calls += 1;
    if (this.#calls > hostCalls) return err("forbidden", `a program asks its host at most ${hostCalls} times`);
    if (typeof argument === "string" && argument.length <= outputBytes) return null;
    return err("invalid_input", `the host takes text of at most ${outputBytes} characters`);
  }
}
