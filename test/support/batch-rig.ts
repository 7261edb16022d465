import { err, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import type { BatchRequest } from "../../kernel/llm/batch/batch-request.ts";
import { BatchWork } from "../../kernel/llm/batch/batch-work.ts";
import { BatchDrivers } from "../../kernel/llm/batch/drivers.ts";
import type { CallsPort, JobParts, OpenedCalls } from "../../kernel/llm/batch/job-parts.ts";
import { JobTables } from "../../kernel/llm/batch/job-tables.ts";
import { LotPlanner } from "../../kernel/llm/batch/lot-planner.ts";
import type { CallEnd, Pass } from "../../kernel/llm/gate/pass.ts";
import { makeProviders } from "../../kernel/llm/providers.ts";
import type { ObjectStore, Sql } from "../../kernel/ports.ts";
import type { GrantRequest, Settlement } from "../../kernel/scheduler/grant.ts";
import { Transactions } from "../../kernel/transactions.ts";
import { BatchApi } from "./model-server/batch-api.ts";
import { nodeHash, TestClock } from "./ports.ts";

/**
 * A batch job on real SQLite, with a clock that stories move, a scripted vendor, and a core that keeps books. `restart` makes
 * a new life of the job over the same tables, as an eviction or a crash does.
 */
export class BatchRig {
  readonly clock = new TestClock();
  readonly api = new BatchApi(() => this.clock.now());
  readonly core = new BookkeepingCore();
  /** The gate of the vendor's account: open, unless it is told to be closed for so long. */
  readonly gate = { closedMs: 0, inside: 0, heard: [] as (CallEnd | null)[] };
  readonly objects = new Map<string, string>();
  readonly tables: JobTables;
  /** Where the next life dies: at which request to a vendor, before it left or after it took effect there. */
  death: { request: number; when: "before" | "after" } | null = null;
  #dead = Promise.withResolvers<number>();
  work: BatchWork;
  readonly #parts: JobParts;

  constructor(
    sql: Sql,
    env: Record<string, string> = { OPENAI_API_KEY: "test-key-openai", KIMI_API_KEY: "test-key-kimi" },
  ) {
    this.tables = new JobTables(sql);
    const vendor = async (input: string | URL | Request, init?: RequestInit) => {
      const request = new Request(input, init);
      if (this.#diesNow("before")) return this.#die();
      const response = await this.api.handle(request);
      return this.#diesNow("after") ? this.#die() : response;
    };
    const providers = makeProviders(env, vendor, this.clock);
    this.#parts = {
      tenant: "t",
      tx: new Transactions(sql),
      tables: this.tables,
      clock: this.clock,
      hash: nodeHash,
      drivers: new BatchDrivers(env, providers, { fetch: vendor, clock: this.clock, enter: () => this.#enter() }),
      calls: this.core,
      list: { note: async () => true },
      objects: objectStore(this.objects),
    };
    this.work = new BatchWork(this.#parts);
  }

  async #enter(): Promise<Result<Pass>> {
    if (this.gate.closedMs > 0) return err("rate_limited", "the account is full", { retryAfterMs: this.gate.closedMs });
    this.gate.inside += 1;
    const end: Pass["end"] = async (outcome) => {
      this.gate.inside -= 1;
      this.gate.heard.push(outcome);
    };
    return { ok: true, value: { careful: false, end } };
  }

  /** Accepts a job of `count` requests that ask for echoes. */
  accept(count: number, model = "openai/gpt-5.4-mini", fields: Partial<BatchRequest> = {}): void {
    const { tables, clock } = this;
    tables.create("batch_test", "key:test", clock.now());
    for (let i = 0; i < count; i++) {
      const messages = [{ role: "user" as const, content: `call calculate on ${i} + 1` }];
      tables.put(i, { customId: `c-${i}`, model, messages, tools: [], maxOutputTokens: 100, ...fields });
    }
    tables.change({ state: "queued", total: count }, clock.now());
  }

  /** Works as the alarm does, once. A life that dies hangs for ever; another one begins, and is due at once. */
  async alarm(): Promise<number | null> {
    this.#dead = Promise.withResolvers();
    return Promise.race([this.work.run(() => new AbortController().signal), this.#dead.promise]);
  }

  #diesNow(when: "before" | "after"): boolean {
    if (this.death === null || this.death.when !== when) return false;
    this.death = { when, request: this.death.request - 1 };
    return this.death.request < 0;
  }

  #die(): Promise<never> {
    this.death = null;
    this.restart();
    this.#dead.resolve(this.clock.now());
    return new Promise(() => {});
  }

  /** Lets time pass from alarm to alarm until the job is over. */
  async untilOver(alarms = 200): Promise<void> {
    for (let i = 0; i < alarms; i++) {
      const due = await this.alarm();
      if (due === null) return;
      this.clock.advance(Math.max(1, due - this.clock.now()));
    }
    throw new Error(`the job is not over: ${JSON.stringify([this.tables.job(), this.tables.liveLots()])}`);
  }

  /** Reserves the money of all requests, and does nothing with it yet. */
  async reserveAll(): Promise<void> {
    this.tables.change({ state: "validating" }, this.clock.now());
    const planner = new LotPlanner(this.#parts);
    while ((await planner.plan()).kind === "planned");
  }

  restart(): void {
    this.work = new BatchWork(this.#parts);
  }

  results(): ResultLine[] {
    const text = [...this.objects].sort(([a], [b]) => a.localeCompare(b)).map(([, part]) => part);
    return text
      .join("")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as ResultLine);
  }
}

export interface ResultLine {
  id: string;
  custom_id: string;
  response: { status_code: number; body: { choices: { message: { content: string } }[] } } | null;
  error: { code: string; message: string } | null;
  costNanoUsd: number;
}

/** A core without limits, unless `room` says how many calls may be open at once. */
export class BookkeepingCore implements CallsPort {
  readonly opened = new Map<string, GrantRequest>();
  readonly settled = new Map<string, Settlement>();
  room = Number.POSITIVE_INFINITY;
  /** Answers lost on their way back. */
  loseAnswers = 0;

  async open(requests: readonly GrantRequest[]): Promise<Result<OpenedCalls> | null> {
    const answer: OpenedCalls = { opened: [], refused: null };
    for (const request of requests.slice(0, LIMITS.batchMoneyRows)) {
      if (!this.opened.has(request.callId) && this.opened.size - this.settled.size >= this.room) {
        answer.refused = { code: "quota_exceeded", message: "the budget is spent" };
        break;
      }
      this.opened.set(request.callId, request);
      answer.opened.push({ maxOutputTokens: request.outputWanted, reservedNanoUsd: 1_000 });
    }
    return this.#lost() ? null : { ok: true, value: answer };
  }

  async settle(settlements: readonly Settlement[]): Promise<Result<null> | null> {
    for (const settlement of settlements) {
      if (!this.opened.has(settlement.callId)) throw new Error(`${settlement.callId} was never opened`);
      if (!this.settled.has(settlement.callId)) this.settled.set(settlement.callId, settlement);
    }
    return this.#lost() ? null : { ok: true, value: null };
  }

  get spentNanoUsd(): number {
    return [...this.settled.values()].reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
  }

  #lost(): boolean {
    this.loseAnswers -= 1;
    return this.loseAnswers >= 0;
  }
}

function objectStore(objects: Map<string, string>): ObjectStore {
  return {
    put: async (key, bytes) => void objects.set(key, new TextDecoder().decode(bytes)),
    get: async (key) => new TextEncoder().encode(objects.get(key) ?? ""),
    delete: async (keys) => {
      for (const key of keys) objects.delete(key);
    },
    list: async () => ({ keys: [...objects.keys()], cursor: null }),
  };
}
