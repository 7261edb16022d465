import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { LANES, PERMISSION_LEVELS, type ProcessSpec } from "../../../kernel/process/spec.ts";
import { connect } from "../connection.ts";
import { UsageError } from "../exit-code.ts";
import { Printer } from "../printer.ts";
import { waitAndPrint } from "./wait.ts";

interface SpawnOptions {
  spec?: string;
  name: string;
  role: string;
  model?: string;
  priority?: number;
  level?: ProcessSpec["permissionLevel"];
  lane?: ProcessSpec["lane"];
  parent?: string;
  instructions?: string;
  tool?: string[];
  ask?: string[];
  window?: number;
  pageTokens?: number;
  maxOutput?: number;
  deadline?: string;
  daemon?: boolean;
  wait?: boolean;
}

/** `aos spawn`: prints the id of the new process, or with `--wait` its result. */
export function spawnCommand(): Command {
  return new Command("spawn")
    .description("spawn an agent and print its id")
    .argument("[goal]", "what it is to do")
    .option("--name <name>", "its name", "agent")
    .option("--role <role>", "its role", "general")
    .option("--model <provider/model>", "the model; by default the kernel's")
    .option("--priority <0-99>", "lower runs first", number)
    .addOption(new Option("--level <level>", "permission level").choices(PERMISSION_LEVELS))
    .addOption(new Option("--lane <lane>", "how it calls the model").choices(LANES))
    .option("--parent <id>", "spawn it as a child of this agent")
    .option("--instructions <text>", "instructions, pinned in its prompt")
    .option("--tool <name...>", "offer only these tools")
    .option("--ask <name...>", "ask a person before each call of these tools")
    .option("--window <tokens>", "its context window", number)
    .option("--page-tokens <tokens>", "the size of its pages", number)
    .option("--max-output <tokens>", "upper bound of one reply", number)
    .option("--deadline <time>", "RFC 3339; it ends when this passes")
    .option("--daemon", "wait for messages when the goal is done")
    .option("--spec <file>", "the whole spec as JSON, - for standard input; instead of the goal and the options")
    .option("--wait", "wait until it ends and print its result")
    .action(async (goal: string | undefined, options: SpawnOptions, command: Command) => {
      const client = connect(command);
      const block = await client.agents.spawn(options.spec ? readSpec(options.spec) : specOf(goal, options));
      if (options.wait) return waitAndPrint(client, block.id, {}, command);
      new Printer(command).print(block, () => block.id);
    });
}

function readSpec(file: string): ProcessSpec {
  try {
    return JSON.parse(readFileSync(file === "-" ? 0 : file, "utf8")) as ProcessSpec;
  } catch (error) {
    throw new UsageError(`--spec ${file}: ${(error as Error).message}`);
  }
}

function specOf(goal: string | undefined, options: SpawnOptions): ProcessSpec {
  if (!goal) throw new UsageError("name the goal, or a file with --spec");
  const context = defined({ windowTokens: options.window, pageTokens: options.pageTokens });
  return {
    name: options.name,
    role: options.role,
    goal,
    ...defined({
      model: options.model,
      priority: options.priority,
      permissionLevel: options.level,
      lane: options.lane,
      parentId: options.parent,
      instructions: options.instructions,
      tools: options.tool,
      approvals: options.ask && { tools: options.ask },
      maxOutputTokens: options.maxOutput,
      deadline: options.deadline,
      daemon: options.daemon,
    }),
    ...(Object.keys(context).length > 0 && { context }),
  };
}

/** Without the entries that nobody gave. */
function defined<T extends object>(entries: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("It takes a number.");
  return value;
}
