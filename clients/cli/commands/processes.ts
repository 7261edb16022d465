import { Command, Option } from "commander";
import type { ControlBlock } from "../../../kernel/process/block.ts";
import { STATES, type State } from "../../../kernel/process/state.ts";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";
import { stateOf } from "../process-state.ts";
import { oneLine, table } from "../table.ts";
import { waitCommand } from "./wait.ts";

/** `aos ps`, `aos show`, `aos wait`: looking at processes. */
export function processCommands(): Command[] {
  return [psCommand(), showCommand(), waitCommand()];
}

interface PsOptions {
  state?: State;
  name?: string;
  parent?: string;
  limit?: string;
  cursor?: string;
}

function psCommand(): Command {
  return new Command("ps")
    .description("the process table")
    .addOption(new Option("--state <state>", "only agents in this state").choices(STATES))
    .option("--name <name>", "only agents of this name")
    .option("--parent <id>", "only children of this agent")
    .option("--limit <n>", "at most this many", "200")
    .option("--cursor <cursor>", "go on where a list ended")
    .action(async (options: PsOptions, command: Command) => {
      const { state, name, parent, limit, cursor } = options;
      const query = { limit: Number(limit), cursor, ...(state && { state }), ...(name && { name }) };
      const listing = await connect(command).agents.list({ ...query, ...(parent && { parentId: parent }) });
      const printer = new Printer(command);
      printer.print(listing, () => processTable(listing.items));
      if (listing.nextCursor) printer.note(`more: --cursor ${listing.nextCursor}`);
    });
}

function processTable(blocks: readonly ControlBlock[]): string {
  const rows = blocks.map((block) => [
    block.id,
    oneLine(block.name, 24),
    stateOf(block),
    block.model,
    String(block.priority),
    String(block.usage.steps),
    `$${block.usage.costUsd}`,
  ]);
  return table(["ID", "NAME", "STATE", "MODEL", "PRI", "STEPS", "COST"], rows);
}

function showCommand(): Command {
  return new Command("show")
    .description("everything about one agent")
    .argument("<id>")
    .action(async (id: string, _options: object, command: Command) => {
      const block = await connect(command).agents.get(id);
      new Printer(command).print(block, () => describe(block));
    });
}

function describe(block: ControlBlock): string {
  const { usage, context } = block;
  const facts: [string, string | null][] = [
    ["id", block.id],
    ["name", block.name],
    ["role", block.role],
    ["goal", oneLine(block.goal, 100)],
    ["model", block.model],
    ["state", stateOf(block)],
    ["level", block.permissionLevel],
    ["priority", String(block.priority)],
    ["parent", block.parentId],
    ["steps", `${usage.steps}, ${usage.toolCalls} tool calls`],
    ["tokens", `${usage.promptTokens} in (${usage.cachedTokens} cached), ${usage.completionTokens} out`],
    ["cost", `$${usage.costUsd}, and about $${usage.platform.costUsd} for the platform`],
    ["window", `${context.residentTokens} of ${context.windowTokens} tokens`],
    ["pages", `${context.hotPages} hot, ${context.warmPages} warm, ${context.coldPages} cold`],
    ["faults", `${context.minorFaults} minor, ${context.majorFaults} major, ${context.evictions} evictions`],
    ["created", block.createdAt],
    ["last error", block.lastError],
    ["result", block.result],
  ];
  return facts.flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(11)} ${value}`])).join("\n");
}
