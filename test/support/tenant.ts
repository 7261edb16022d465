/// <reference types="@cloudflare/vitest-plugin/types" />
import { env } from "cloudflare:workers";
import type { AgentRpc } from "../../durable-objects/agent/rpc.ts";
import type { CoreRpc } from "../../durable-objects/core/rpc.ts";
import type { ObjectEnv } from "../../durable-objects/env.ts";
import type { Result } from "../../kernel/errors.ts";
import type { ControlBlock } from "../../kernel/process/block.ts";
import type { MessageView } from "../../kernel/process/message.ts";
import type { ProcessSpec } from "../../kernel/process/spec.ts";

/** A tenant on the real objects, and what stories do to it. */
export class TestTenant {
  readonly name: string;
  readonly core: CoreRpc;

  constructor(name = `t-${crypto.randomUUID()}`) {
    this.name = name;
    this.core = this.coreStub as unknown as CoreRpc;
  }

  get coreStub(): DurableObjectStub {
    return objects().CORES.getByName(this.name) as unknown as DurableObjectStub;
  }

  stub(agentId: string): DurableObjectStub {
    return objects().AGENTS.getByName(`${this.name}/${agentId}`) as unknown as DurableObjectStub;
  }

  agent(agentId: string): AgentRpc {
    return this.stub(agentId) as unknown as AgentRpc;
  }

  async spawn(spec: Partial<ProcessSpec> = {}): Promise<ControlBlock> {
    const whole = { name: "Tester", role: "tester", goal: "Help the user", model: "local/reader", ...spec };
    return value(await this.core.spawn(whole, { actor: "key:test" }));
  }

  /** A daemon that has done its goal and waits for messages. */
  async daemon(spec: Partial<ProcessSpec> = {}): Promise<string> {
    const { id } = await this.spawn({ ...spec, daemon: true });
    await this.until(id, (block) => block.state === "waiting" && block.waitReason === "message");
    return id;
  }

  async block(agentId: string): Promise<ControlBlock> {
    return value(await this.agent(agentId).block());
  }

  /** Waits until the block is as `wanted` says; fails after `deadlineMs` with the block as it was. */
  async until(agentId: string, wanted: (block: ControlBlock) => boolean, deadlineMs = 10_000): Promise<ControlBlock> {
    return eventually(() => this.block(agentId), wanted, deadlineMs);
  }

  async send(agentId: string, content: string): Promise<string> {
    return value(await this.agent(agentId).send({ content, actor: "key:test" })).messageId;
  }

  /** The message when it has ended. */
  async ended(agentId: string, messageId: string): Promise<MessageView> {
    const read = async () => value(await this.agent(agentId).message(messageId));
    return eventually(read, ({ state }) => state !== "queued" && state !== "running");
  }

  /** The reply to `content`. */
  async ask(agentId: string, content: string): Promise<string> {
    const message = await this.ended(agentId, await this.send(agentId, content));
    return message.reply ?? `${message.state}: ${message.error?.message}`;
  }
}

/** The value of a result that must be one. */
export function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.value;
}

/** Reads until what was read is as `wanted` says; fails after `deadlineMs` with what was read last. */
export async function eventually<T>(
  read: () => Promise<T>,
  wanted: (value: T) => boolean,
  deadlineMs = 10_000,
): Promise<T> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const seen = await read();
    if (wanted(seen)) return seen;
    if (Date.now() > end) throw new Error(`not within ${deadlineMs} ms: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Calls into an object that was just aborted fail at first. */
export async function patiently<T>(call: () => Promise<T>, tries = 50): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await call();
    } catch (cause) {
      if (tried === tries) throw cause;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function objects(): ObjectEnv {
  return env as unknown as ObjectEnv;
}
