import { err, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { BatchDrivers } from "../../kernel/llm/batch/drivers.ts";
import type { CallersPort } from "../../kernel/llm/batch/economy/economy-parts.ts";
import { EconomyTables } from "../../kernel/llm/batch/economy/economy-tables.ts";
import { EconomyWork } from "../../kernel/llm/batch/economy/economy-work.ts";
import type { ChatOutcome } from "../../kernel/llm/provider.ts";
import { makeProviders } from "../../kernel/llm/providers.ts";
import type { Sql } from "../../kernel/ports.ts";
import type { ClaimedCall } from "../../kernel/process/batch-calls.ts";
import type { CallMessage } from "../../kernel/process/call-message.ts";
import { Transactions } from "../../kernel/transactions.ts";
import { BatchApi } from "./model-server/batch-api.ts";
import { TestClock } from "./ports.ts";

const ENV = { OPENAI_API_KEY: "test-key-openai" };
const MODEL = "gpt-5.4-mini";

/**
 * An economy pool on real SQLite, with a clock that stories move, a scripted vendor, and agents that keep books. A life dies at
 * the question to a vendor or an agent that a story names, before it left or after it took effect; another one goes on.
 */
/** Calls that no Batch API takes are declined: nobody in this rig calls a vendor one by one. */
const NO_POOL = async () => err("internal", "the economy lane has no pool");

export class EconomyRig {
  readonly clock = new TestClock();
  readonly api = new BatchApi(() => this.clock.now());
  readonly agents = new BookkeepingAgents();
  readonly tables: EconomyTables;
  death: { question: number; when: "before" | "after" } | null = null;
  work: EconomyWork;
  readonly #sql: Sql;
  #dead = Promise.withResolvers<null>();

  constructor(sql: Sql) {
    this.#sql = sql;
    this.tables = new EconomyTables(sql);
    this.work = this.#life();
  }

  /** `count` agents ask for a call each. */
  ask(count: number, from = 0): void {
    for (let i = from; i < from + count; i++) this.work.take(messageOf(i));
  }

  /** Lets time pass from alarm to alarm until every agent has been told. */
  async untilOver(alarms = 200): Promise<void> {
    for (let i = 0; i < alarms; i++) {
      const due = this.work.dueAt();
      if (due === null) return;
      this.clock.advance(Math.max(1, due - this.clock.now()));
      this.#dead = Promise.withResolvers();
      await Promise.race([this.work.run(), this.#dead.promise]);
    }
    throw new Error("the pool is not empty");
  }

  #life(): EconomyWork {
    const vendor = async (input: string | URL | Request, init?: RequestInit) => {
      const request = new Request(input, init);
      return this.#mortal(() => this.api.handle(request));
    };
    const providers = makeProviders(ENV, vendor, this.clock);
    return new EconomyWork({
      tenant: "t",
      model: `openai/${MODEL}`,
      tx: new Transactions(this.#sql),
      tables: this.tables,
      clock: this.clock,
      drivers: new BatchDrivers(ENV, providers, { fetch: vendor, clock: this.clock, enter: NO_POOL }),
      callers: {
        claim: (message) => this.#mortal(() => this.agents.claim(message)),
        deliver: (message, outcome) => this.#mortal(() => this.agents.deliver(message, outcome)),
        decline: (message) => this.#mortal(() => this.agents.decline(message)),
      },
    });
  }

  async #mortal<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#diesNow("before")) return this.#die();
    const answer = await ask();
    return this.#diesNow("after") ? this.#die() : answer;
  }

  #diesNow(when: "before" | "after"): boolean {
    if (this.death === null || this.death.when !== when) return false;
    this.death = { when, question: this.death.question - 1 };
    return this.death.question < 0;
  }

  #die(): Promise<never> {
    this.death = null;
    this.work = this.#life();
    this.#dead.resolve(null);
    return new Promise(() => {});
  }
}

export function messageOf(i: number): CallMessage {
  const id = String(i).padStart(4, "0");
  return {
    tenant: "t",
    agentId: `agt_${id}`,
    callId: `call_${id}`,
    attempt: 1,
    model: `openai/${MODEL}`,
    hash: "h",
    repeatable: false,
    lane: "economy",
  };
}

/** Agents that say what they would: a claim is handed over again to its claimer, an outcome counts once. */
export class BookkeepingAgents implements CallersPort {
  readonly claimed = new Set<string>();
  readonly outcomes = new Map<string, ChatOutcome>();
  readonly declined = new Set<string>();
  /** Calls that nobody waits for. */
  readonly gone = new Set<string>();
  /** The next so many questions get no answer. */
  silent = 0;

  async claim({ callId }: CallMessage): Promise<Result<ClaimedCall> | null> {
    if (this.#isSilent()) return null;
    if (this.gone.has(callId) || this.outcomes.has(callId)) return err("conflict", "the call has ended");
    this.claimed.add(callId);
    const request = {
      model: MODEL,
      messages: [{ role: "user" as const, content: `question of ${callId}` }],
      tools: [],
      maxOutputTokens: 100,
      user: "t",
    };
    return { ok: true, value: { request, deadlineMs: LIMITS.modelCallMs, careful: false } };
  }

  async deliver({ callId }: CallMessage, outcome: ChatOutcome): Promise<Result<null> | null> {
    if (this.#isSilent()) return null;
    if (!this.claimed.has(callId)) throw new Error(`${callId} was never claimed`);
    if (!this.outcomes.has(callId)) this.outcomes.set(callId, outcome);
    return { ok: true, value: null };
  }

  async decline({ callId }: CallMessage): Promise<Result<null> | null> {
    if (this.#isSilent()) return null;
    this.declined.add(callId);
    return { ok: true, value: null };
  }

  #isSilent(): boolean {
    this.silent -= 1;
    return this.silent >= 0;
  }
}
