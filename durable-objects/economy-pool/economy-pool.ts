import { DurableObject } from "cloudflare:workers";
import { err, ok, type Result } from "../../kernel/errors.ts";
import { LIMITS } from "../../kernel/limits.ts";
import { EconomyWork } from "../../kernel/llm/batch/economy/economy-work.ts";
import type { CallMessage } from "../../kernel/process/call-message.ts";
import type { ObjectEnv } from "../env.ts";
import { isLaid, migrate } from "../migrations.ts";
import { sqlOf, systemClock } from "../ports.ts";
import { economyParts } from "./economy-parts.ts";
import { ECONOMY_POOL_MIGRATIONS } from "./migrations.ts";
import type { EconomyPoolRpc } from "./rpc.ts";

/**
 * The economy calls of one tenant's agents to one model (named `tenant/provider/model`): the stateful shell around
 * `kernel/llm/batch/economy`. Only `alarm()` works. With no call in it, it has no alarm and costs nothing.
 */
export class EconomyPool extends DurableObject<ObjectEnv> implements EconomyPoolRpc {
  readonly #sql = sqlOf(this.ctx.storage);
  #work: EconomyWork | null = null;

  async ask(message: CallMessage): Promise<Result<null>> {
    const laid = migrate(this.#sql, ECONOMY_POOL_MIGRATIONS, systemClock.now());
    if (!laid.ok) return laid;
    const work = this.#make();
    if (!work.take(message)) return err("unavailable", "Too many calls wait in this pool.");
    void this.ctx.storage.setAlarm(work.dueAt() ?? systemClock.now());
    return ok(null);
  }

  /** The alarm stands at now while it works, so that a crash in the middle goes on as soon as the object is back. */
  override async alarm(): Promise<void> {
    if (!isLaid(this.#sql)) return;
    try {
      void this.ctx.storage.setAlarm(systemClock.now());
      const laid = migrate(this.#sql, ECONOMY_POOL_MIGRATIONS, systemClock.now());
      const due = laid.ok ? await this.#make().run() : systemClock.now() + LIMITS.schemaRetryMs;
      if (due === null) await this.ctx.storage.deleteAlarm();
      else void this.ctx.storage.setAlarm(due);
    } catch (cause) {
      console.error("an economy pool broke", cause);
      void this.ctx.storage.setAlarm(systemClock.now() + LIMITS.brokenSliceMs);
    }
  }

  #make(): EconomyWork {
    const name = this.ctx.id.name ?? "";
    const slash = name.indexOf("/");
    const names = { tenant: name.slice(0, slash), model: name.slice(slash + 1) };
    this.#work ??= new EconomyWork(economyParts(this.env, this.#sql, names));
    return this.#work;
  }
}
