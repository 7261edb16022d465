import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ModelServer } from "../support/model-server/client.ts";
import { ToolServer } from "../support/tool-server/client.ts";
import type { ToolEntry } from "../support/tool-server/order.ts";
import type { Outside } from "./chain.ts";

/** The world outside of the kernel: a model server and two tool servers, one of which honours keys. Their journals are the oracle. */
export class Servers {
  readonly #folder: string;
  readonly #model: ModelServer;
  readonly #keyed: ToolServer;
  readonly #plain: ToolServer;

  private constructor(folder: string, model: ModelServer, keyed: ToolServer, plain: ToolServer) {
    this.#folder = folder;
    this.#model = model;
    this.#keyed = keyed;
    this.#plain = plain;
  }

  static async start(folder: string): Promise<Servers> {
    const journal = (name: string) => join(folder, `${name}.jsonl`);
    const answers = join(import.meta.dirname, "chain-model.ts");
    const model = await ModelServer.start({ journal: journal("model"), answers });
    const keyed = await ToolServer.start({ journal: journal("keyed"), keys: true });
    const plain = await ToolServer.start({ journal: journal("plain") });
    return new Servers(folder, model, keyed, plain);
  }

  get modelJournal(): string {
    return join(this.#folder, "model.jsonl");
  }

  get toolJournals(): string[] {
    return ["keyed", "plain"].map((name) => join(this.#folder, `${name}.jsonl`));
  }

  get outside(): Outside {
    return { keyed: this.#keyed.url, plain: this.#plain.url };
  }

  /** What a kernel has to be told to work with them. */
  get environment(): Record<string, string> {
    return {
      OPENAI_API_KEY: "test",
      OPENAI_BASE_URL: this.#model.baseUrl,
      AOS_EGRESS_ALLOW: `${this.#keyed.host}, ${this.#plain.host}`,
      AOS_KEYED_HOSTS: this.#keyed.host,
    };
  }

  /** Whether the server that honours no keys has acted on `path`. */
  async happened(path: string): Promise<boolean> {
    return (await this.#plain.acts(path)) > 0;
  }

  /** What the tool servers saw and did, by path. */
  acts(): Map<string, ToolEntry[]> {
    const lines = this.toolJournals.flatMap((path) => readFileSync(path, "utf8").split("\n").filter(Boolean));
    return Map.groupBy(
      lines.map((line) => JSON.parse(line) as ToolEntry),
      ({ path }) => path,
    );
  }

  async stop(): Promise<void> {
    await Promise.all([this.#model.stop(), this.#keyed.stop(), this.#plain.stop()]);
  }
}
