import { KernelClient } from "../../../clients/sdk/client/client.ts";
import type { Listing } from "../../../clients/sdk/client/listing.ts";
import type { LedgerEntry } from "../../../kernel/scheduler/ledger.ts";
import { ModelServer } from "../../support/model-server/client.ts";
import { KernelProcess } from "../runtime/kernel-process.ts";

/** A model of each of the four vendors. */
export const FOUR_MODELS = ["openai/gpt-6-luna", "deepseek/deepseek-flash", "kimi/kimi-k2.6", "ollama/qwen3:8b"];

/** The real runtime before all four vendors, each in its own dialect: the ledger of the one beside the books of the others. */
export class FourVendors {
  readonly server: ModelServer;
  readonly kernel: KernelProcess;

  private constructor(server: ModelServer, kernel: KernelProcess) {
    this.server = server;
    this.kernel = kernel;
  }

  static async start(options: Parameters<typeof ModelServer.start>[0] = {}): Promise<FourVendors> {
    const server = await ModelServer.start(options);
    const kernel = await KernelProcess.start(undefined, {
      OPENAI_API_KEY: "k-openai",
      OPENAI_BASE_URL: `${server.url}/openai/v1`,
      DEEPSEEK_API_KEY: "k-deepseek",
      DEEPSEEK_BASE_URL: `${server.url}/deepseek`,
      KIMI_API_KEY: "k-kimi",
      KIMI_BASE_URL: `${server.url}/kimi/v1`,
      OLLAMA_BASE_URL: `${server.url}/ollama`,
    });
    return new FourVendors(server, kernel);
  }

  async dispose(): Promise<void> {
    await this.kernel.dispose();
    await this.server.stop();
  }

  get client(): KernelClient {
    return new KernelClient({ baseUrl: this.kernel.url, apiKey: this.kernel.adminKey });
  }

  /** The whole ledger, the newest entry first. */
  async entries(): Promise<LedgerEntry[]> {
    const all: LedgerEntry[] = [];
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const page: Listing<LedgerEntry> = await this.client.ledger.calls({ limit: 200, cursor });
      all.push(...page.items);
      cursor = page.nextCursor;
    }
    return all;
  }
}
