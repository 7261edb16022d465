import { Agents } from "./agents.ts";
import { ApprovalRules } from "./approval-rules.ts";
import { Approvals } from "./approvals.ts";
import { Batches } from "./batches.ts";
import { Credentials } from "./credentials.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Events } from "./events.ts";
import { Files } from "./files.ts";
import { Keys } from "./keys.ts";
import { Ledger } from "./ledger.ts";
import { Messages } from "./messages.ts";
import { Pages } from "./pages.ts";
import { Providers } from "./providers.ts";
import { Quotas } from "./quotas.ts";
import { Tenants } from "./tenants.ts";
import { Tools } from "./tools.ts";
import { type Endpoint, Transport } from "./transport.ts";

/**
 * The kernel's HTTP API, typed: one member a family of routes. Every call has a deadline and throws an `AosError`.
 *
 * ```ts
 * const client = new KernelClient({ baseUrl: "http://127.0.0.1:8787", apiKey });
 * const agent = await client.agents.spawn({ name: "Reader", role: "librarian", goal: "Answer from memory", daemon: true });
 * ```
 */
export class KernelClient {
  readonly agents: Agents;
  readonly messages: Messages;
  readonly pages: Pages;
  readonly files: Files;
  readonly events: Events;
  readonly approvals: Approvals;
  readonly approvalRules: ApprovalRules;
  readonly deadLetters: DeadLetters;
  readonly ledger: Ledger;
  readonly providers: Providers;
  readonly tools: Tools;
  readonly batches: Batches;
  readonly quotas: Quotas;
  readonly keys: Keys;
  readonly tenants: Tenants;
  readonly credentials: Credentials;
  readonly #transport: Transport;

  constructor(endpoint: Endpoint) {
    this.#transport = new Transport(endpoint);
    this.agents = new Agents(this.#transport);
    this.messages = new Messages(this.#transport);
    this.pages = new Pages(this.#transport);
    this.files = new Files(this.#transport);
    this.events = new Events(this.#transport);
    this.approvals = new Approvals(this.#transport);
    this.approvalRules = new ApprovalRules(this.#transport);
    this.deadLetters = new DeadLetters(this.#transport);
    this.ledger = new Ledger(this.#transport);
    this.providers = new Providers(this.#transport);
    this.tools = new Tools(this.#transport);
    this.batches = new Batches(this.#transport);
    this.quotas = new Quotas(this.#transport);
    this.keys = new Keys(this.#transport);
    this.tenants = new Tenants(this.#transport);
    this.credentials = new Credentials(this.#transport);
  }

  /** `GET /health`: resolves when the kernel answers. Needs no valid key. */
  health(): Promise<Record<string, unknown>> {
    return this.#transport.json("/health");
  }
}
