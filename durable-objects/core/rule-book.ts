import { err, ok, type Result } from "../../kernel/errors.ts";
import type { Log } from "../../kernel/log/log.ts";
import type { Clock, Random, Sql } from "../../kernel/ports.ts";
import {
  type ApprovalRule,
  ApprovalRules,
  type Asked,
  type RuleSpec,
  type RuleWord,
} from "../../kernel/scheduler/approval-rules.ts";
import type { Scheduler } from "../../kernel/scheduler/scheduler.ts";
import type { Transactions } from "../../kernel/transactions.ts";
import type { Actor, Listing, ListOptions } from "../agent/rpc.ts";

interface RuleBookParts {
  sql: Sql;
  clock: Clock;
  random: Random;
  tx: Transactions;
  log: Log;
  scheduler: Scheduler;
}

/** The rules about approvals as operators keep them, each change in the chain. */
export class RuleBook {
  readonly #tx: Transactions;
  readonly #log: Log;
  readonly #scheduler: Scheduler;
  readonly #rules: ApprovalRules;

  constructor({ tx, log, scheduler, ...ports }: RuleBookParts) {
    this.#rules = new ApprovalRules(ports);
    this.#tx = tx;
    this.#log = log;
    this.#scheduler = scheduler;
  }

  /** `not_found` when the rule is about an agent that is not there. */
  add(spec: RuleSpec, actor: Actor): Result<ApprovalRule> {
    const { processes } = this.#scheduler;
    if (spec.agentId !== undefined && processes.get(spec.agentId) === null)
      return err("not_found", "There is no such agent.");
    return this.#tx.run(() => {
      const added = this.#rules.add(spec, actor);
      if (added.ok) this.#log.append("rule.add", actor, { ...added.value });
      return added;
    });
  }

  list({ limit, cursor = "" }: ListOptions): Listing<ApprovalRule> {
    const found = this.#rules.list(cursor, limit + 1);
    const items = found.slice(0, limit);
    return { items, nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  delete(ruleId: string, actor: Actor): Result<null> {
    if (this.#rules.get(ruleId) === null) return err("not_found", "There is no such rule.");
    this.#tx.run(() => {
      this.#rules.delete(ruleId);
      this.#log.append("rule.delete", actor, { id: ruleId });
    });
    return ok(null);
  }

  /** An erased agent has no rules. */
  forget(agentId: string): void {
    this.#rules.forget(agentId);
  }

  /** For an agent, now. */
  judge(agentId: string, asked: Asked): RuleWord | null {
    const { processes } = this.#scheduler;
    return processes.get(agentId) === null ? null : this.#rules.judge(agentId, processes.ancestors(agentId), asked);
  }
}
