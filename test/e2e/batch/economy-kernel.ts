import { setTimeout as sleep } from "node:timers/promises";
import { KernelClient } from "../../../clients/sdk/client/client.ts";
import { discounted } from "../../../kernel/llm/batch/drivers.ts";
import { costNanoUsd } from "../../../kernel/llm/pricing.ts";
import { openai } from "../../../kernel/llm/providers/openai.ts";
import type { BatchScript, BilledBatch } from "../../support/model-server/batch-script.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** The vendor's model that stories of its Batch API use. */
export const BATCH_MODEL = "gpt-5.4-mini";

/** The real runtime before a scripted Batch API, whose books are the oracle of every bill. */
export class EconomyKernel {
  readonly #model: ModelServer;
  #kernel: KernelProcess;

  private constructor(model: ModelServer, kernel: KernelProcess) {
    this.#model = model;
    this.#kernel = kernel;
  }

  static async start(): Promise<EconomyKernel> {
    const model = await ModelServer.start();
    return new EconomyKernel(model, await begin(model));
  }

  async dispose(): Promise<void> {
    await this.#kernel.dispose();
    await this.#model.stop();
  }

  get client(): KernelClient {
    return new KernelClient({ baseUrl: this.#kernel.url, apiKey: this.#kernel.adminKey });
  }

  async script(script: BatchScript): Promise<void> {
    await fetch(`${this.#model.url}/_batches`, { method: "POST", body: JSON.stringify(script) });
  }

  /** The batches that the vendor took, with what it bills for them. */
  async books(): Promise<BilledBatch[]> {
    return (await (await fetch(`${this.#model.url}/_batches`)).json()) as BilledBatch[];
  }

  /** The ledger's sums over everybody. */
  async costs(): Promise<{ totalNanoUsd: number; calls: number; unknown: number }> {
    const { items, totalNanoUsd } = await this.client.ledger.costs();
    const of = (key: "calls" | "unknown") => items.reduce((sum, item) => sum + item[key], 0);
    return { totalNanoUsd, calls: of("calls"), unknown: of("unknown") };
  }

  /** Kills the whole runtime, and starts it again on what it left. */
  async killAndStart(): Promise<void> {
    const workerd = this.#kernel.workerdPid;
    await this.#kernel.end("SIGKILL");
    end(workerd);
    this.#kernel = await begin(this.#model, this.#kernel.state);
  }
}

function begin(model: ModelServer, state?: string): Promise<KernelProcess> {
  return KernelProcess.start(state, { OPENAI_API_KEY: "test-key", OPENAI_BASE_URL: model.baseUrl });
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It went with its parent.
  }
}

/** What the vendor asks for its batches, at half of the model's price: integer nano-dollars. */
export function billed(books: readonly BilledBatch[]): number {
  const price = openai.models[BATCH_MODEL]?.price;
  if (price === undefined) throw new Error(`${BATCH_MODEL} has no price`);
  const half = discounted(price, 0.5);
  return books.flatMap(({ bills }) => bills).reduce((sum, { usage }) => sum + costNanoUsd(usage, half), 0);
}

export async function until(holds: () => Promise<boolean>, ms: number): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) if (await holds()) return;
  throw new Error("it did not come to hold");
}
