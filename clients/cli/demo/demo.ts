import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TrailReport } from "../../../kernel/log/verification.ts";
import type { ControlBlock } from "../../../kernel/process/block.ts";
import { AgentOSKernel, isSettled } from "../../sdk/agent-os-kernel.ts";
import type { KernelClient } from "../../sdk/client/client.ts";
import { BLANK } from "../../sdk/runtime/settings.ts";
import { EXIT } from "../exit-code.ts";
import { type CheckedCitation, checkCitations, citationsOf } from "./citation-check.ts";
import type { Document } from "./corpus.ts";
import { type Expectation, verdict } from "./expectation.ts";
import { Progress } from "./progress.ts";
import { StepFeed } from "./step-feed.ts";
import { tiersOf } from "./tiers.ts";

/**
 * The main job from end to end: an agent gets a memory far larger than its window, is asked a question whose answer stands
 * in one cold page, and has to answer with quotes that stand where it says. Everything goes over the HTTP API.
 */

export interface DemoOptions {
  documents: Document[];
  /** What the documents are, for the commentary. */
  origin: string;
  question: string;
  /** What must come out; for a question of the user only that every quote stands. */
  expect: Expectation;
  /** `provider/model`; `local/reader`, which needs no key, when absent. */
  model?: string | undefined;
  windowTokens: number;
  /** Folder of the kernel's state, kept afterwards; a fresh one, removed at the end, when absent. */
  state?: string | undefined;
}

const MODEL = "local/reader";
const ANSWER_SECONDS = 300;
/** Documents on their way at once: they begin in order, and each waits for the disk while another is split. */
const UPLOADS = 4;

/** True when everything came out as it must. */
export async function runDemo(options: DemoOptions): Promise<boolean> {
  const progress = new Progress();
  const state = options.state ?? temporaryFolder();
  // Without a model of the user's choice nothing of the user's environment is read: no key, no network.
  const kernel = new AgentOSKernel({ state, env: options.model ? {} : BLANK });
  return await demonstrate(kernel, options, progress);
}

/** Removed when this process ends, by Ctrl-C too. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "aos-demo-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(EXIT.failed));
  return folder;
}

async function demonstrate(kernel: AgentOSKernel, options: DemoOptions, progress: Progress): Promise<boolean> {
  try {
    await kernel.initialize();
    progress.say(`kernel ready at ${kernel.url}`);
    return await new Demo(kernel.client, options, progress).run();
  } finally {
    await kernel.shutdown();
  }
}

class Demo {
  readonly #client: KernelClient;
  readonly #options: DemoOptions;
  readonly #progress: Progress;

  constructor(client: KernelClient, options: DemoOptions, progress: Progress) {
    this.#client = client;
    this.#options = options;
    this.#progress = progress;
  }

  async run(): Promise<boolean> {
    const agent = await this.#spawn();
    const tokens = await this.#remember(agent.id);
    const answer = await this.#ask(agent.id);
    const citations = await checkCitations(citationsOf(answer), (id) => this.#client.pages.read(agent.id, id));
    this.#progress.block("\nCitations, each compared with the page that it names:");
    for (const citation of citations)
      this.#progress.block(`  [${citation.pageId}] ${citation.source}: ${mark(citation)}`);
    await this.#bill(agent.id);
    const chains = [await this.#verify("the agent", agent.id), await this.#verify("the tenant")];
    const failures = verdict(this.#options.expect, { answer, citations, tokens, chains });
    for (const failure of failures) this.#progress.block(`FAILED: ${failure}`);
    return failures.length === 0;
  }

  /** A daemon: it stays to be asked. */
  async #spawn(): Promise<ControlBlock> {
    const { model = MODEL, windowTokens } = this.#options;
    const spawned = await this.#client.agents.spawn({
      name: "Librarian",
      role: "librarian",
      goal: "Answer questions from memory. Quote the words that answer, and cite their page.",
      model,
      daemon: true,
      context: { windowTokens },
    });
    const agent = isSettled(spawned) ? spawned : await this.#client.agents.wait(spawned.id);
    this.#progress.say(`${agent.name} ${agent.id} runs on ${agent.model} with a window of ${windowTokens} tokens`);
    return agent;
  }

  /** Answers how many tokens went in. */
  async #remember(agentId: string): Promise<number> {
    const { documents, origin } = this.#options;
    const bytes = documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    this.#progress.say(`memory: ${documents.length} ${origin}, ${megabytes(bytes)} MB`);
    const total = { documents: 0, pages: 0, tokens: 0 };
    const left = documents.values();
    const upload = async (): Promise<void> => {
      for (const { source, text } of left) {
        const pages = await this.#client.pages.addText(agentId, text, { source });
        total.documents += 1;
        total.pages += pages.length;
        total.tokens += pages.reduce((sum, page) => sum + page.tokens, 0);
        this.#progress.update(
          () => `${total.documents}/${documents.length} documents, ${total.tokens} tokens in ${total.pages} pages`,
        );
      }
    };
    await Promise.all(Array.from({ length: UPLOADS }, upload));
    this.#progress.say(`${total.tokens} tokens in ${total.pages} pages: ${await tiersOf(this.#client, agentId)}`);
    return total.tokens;
  }

  async #ask(agentId: string): Promise<string> {
    const { question } = this.#options;
    this.#progress.say(`question: ${question}`);
    const feed = new StepFeed(this.#client, agentId, await this.#logLength(agentId), this.#progress);
    const sent = await this.#client.messages.send(agentId, question, { waitSeconds: ANSWER_SECONDS });
    await feed.finish();
    this.#progress.say(await this.#faults(agentId));
    if (sent.reply === undefined) throw new Error(sent.error?.message ?? `no answer within ${ANSWER_SECONDS} s`);
    this.#progress.block(`\n${sent.reply}`);
    return sent.reply;
  }

  async #faults(agentId: string): Promise<string> {
    const { context } = await this.#client.agents.get(agentId);
    const { minorFaults, majorFaults, evictions } = context;
    return `answered after ${minorFaults} minor and ${majorFaults} major page faults and ${evictions} evictions`;
  }

  async #bill(agentId: string): Promise<void> {
    const { items, totalUsd } = await this.#client.ledger.costs({ groupBy: "agent" });
    const cost = items.find((item) => item.key === agentId);
    const { steps, toolCalls } = (await this.#client.agents.get(agentId)).usage;
    this.#progress.block(
      `\nBill: $${totalUsd} for ${cost?.calls ?? 0} model calls (${steps} steps, ${toolCalls} tool calls): ` +
        `${cost?.promptTokens ?? 0} tokens in, ${cost?.cachedTokens ?? 0} of them cached, ${cost?.completionTokens ?? 0} out`,
    );
  }

  async #verify(whose: string, agentId?: string): Promise<TrailReport> {
    const report = await this.#client.ledger.verify(agentId === undefined ? {} : { agentId });
    const state = report.ok ? "verified" : `BROKEN at entry ${report.brokenAt}`;
    this.#progress.block(`Audit chain of ${whose}: ${state}, ${report.entries} entries, head ${report.head}`);
    return report;
  }

  /** The number of its newest log entry. */
  async #logLength(agentId: string): Promise<number> {
    return (await this.#client.ledger.verify({ agentId })).entries;
  }
}

function mark({ quote, stands }: CheckedCitation): string {
  if (quote === null) return "named without a quote";
  return stands ? `the quote of ${quote.length} characters stands there` : "THE QUOTE DOES NOT STAND THERE";
}

function megabytes(bytes: number): string {
  return (bytes / 1_000_000).toFixed(1);
}
