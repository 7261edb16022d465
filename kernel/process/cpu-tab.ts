import { cpuMsOf } from "../security/sandbox/gas.ts";
import type { Sandbox } from "../security/sandbox/sandbox.ts";

/** What one attempt at a call burns in the sandbox. A run whose gas nobody has seen counts at the most that it could burn. */
export class CpuTab {
  readonly #mostMs: number;
  #underWay = 0;
  #knownMs = 0;

  /** `mostMs`: what one run may use. */
  constructor(mostMs: number) {
    this.#mostMs = mostMs;
  }

  /** The same sandbox, whose runs are entered here. */
  of(sandbox: Sandbox): Sandbox {
    return {
      run: async (program, host) => {
        this.#underWay += 1;
        const outcome = await sandbox.run(program, host);
        this.#underWay -= 1;
        this.#knownMs += cpuMsOf(outcome.gas);
        return outcome;
      },
    };
  }

  get usedMs(): number {
    return this.#knownMs + this.#underWay * this.#mostMs;
  }
}
