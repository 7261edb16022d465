import { LIMITS } from "../../../kernel/limits.ts";
import type { StepView } from "../../../kernel/log/journal.ts";
import type { ControlBlock } from "../../../kernel/process/block.ts";
import type { Signal } from "../../../kernel/process/message.ts";
import type { ProvenanceReport } from "../../../kernel/process/provenance.ts";
import type { ProcessPatch, ProcessSpec } from "../../../kernel/process/spec.ts";
import type { State } from "../../../kernel/process/state.ts";
import { everyItem, type Listing, type ListOptions } from "./listing.ts";
import type { Transport } from "./transport.ts";

/** Where the routes of one agent begin. */
export function agentPath(agentId: string): string {
  return `/v1/agents/${encodeURIComponent(agentId)}`;
}

/** Routes of the process table and of one process. Every method throws an `AosError`; an unknown id is `not_found`. */
export class Agents {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** `POST /v1/agents`. Durable when it answers. `unknown_model` when nobody serves the model. */
  spawn(spec: ProcessSpec, options: { idempotencyKey?: string } = {}): Promise<ControlBlock> {
    return this.#transport.json("/v1/agents", {
      method: "POST",
      body: spec,
      idempotencyKey: options.idempotencyKey ?? true,
    });
  }

  /** `GET /v1/agents`: one page of the process table. */
  list(
    options: ListOptions & { state?: State; name?: string; parentId?: string } = {},
  ): Promise<Listing<ControlBlock>> {
    return this.#transport.json("/v1/agents", { query: { ...options } });
  }

  /** `GET /v1/agents/{id}`: the process control block. */
  get(agentId: string): Promise<ControlBlock> {
    return this.#transport.json(agentPath(agentId));
  }

  /**
   * `GET /v1/agents/{id}/wait`: the block when the process terminates, waits for a person or a quota, is stopped, or is
   * a daemon with nothing to do; else as it stands after `timeoutSeconds` (60, at most 300).
   */
  wait(agentId: string, options: { timeoutSeconds?: number; signal?: AbortSignal } = {}): Promise<ControlBlock> {
    const timeout = options.timeoutSeconds ?? LIMITS.waitDefaultSeconds;
    return this.#transport.json(`${agentPath(agentId)}/wait`, {
      query: { timeout },
      deadlineMs: timeout * 1_000 + LIMITS.clientRequestMs,
      signal: options.signal,
    });
  }

  /** `POST /v1/agents/{id}/signals`. `process_terminated` when there is nothing left to signal. */
  signal(agentId: string, signal: Signal): Promise<{ state: State }> {
    return this.#transport.json(`${agentPath(agentId)}/signals`, { method: "POST", body: { signal } });
  }

  /** `PATCH /v1/agents/{id}`: priority, quotas, permission level or name. */
  update(agentId: string, patch: ProcessPatch): Promise<ControlBlock> {
    return this.#transport.json(agentPath(agentId), { method: "PATCH", body: patch });
  }

  /** `DELETE /v1/agents/{id}`: kills the process and erases it in every tier; `not_found` from then on. */
  async erase(agentId: string): Promise<void> {
    await this.#transport.json(agentPath(agentId), { method: "DELETE" });
  }

  /** `GET /v1/agents/{id}/provenance`: what it has read, and which of its calls waited for a person because of that. */
  provenance(agentId: string): Promise<ProvenanceReport> {
    return this.#transport.json(`${agentPath(agentId)}/provenance`);
  }

  /** `GET /v1/agents/{id}/steps`: the journal, oldest first. */
  steps(agentId: string): AsyncGenerator<StepView> {
    return everyItem(this.#transport, `${agentPath(agentId)}/steps`, {});
  }
}
