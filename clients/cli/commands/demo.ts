import { Command } from "commander";
import { packageDocuments, userDocuments } from "../demo/corpus.ts";
import { type DemoOptions, runDemo } from "../demo/demo.ts";
import { EXIT, UsageError } from "../exit-code.ts";

/** `aos demo` (`npm run demo`): the main job, offline and without a key; on the user's own text too. */

/** A sentence of a small README among megabytes of others; the lock file fixes its version. */
const QUESTION = "How many times smaller than chalk is picocolors?";
const ANSWER = "14 times smaller";
const SOURCE = "node_modules/picocolors/README.md";
const MEMORY_TOKENS = 500_000;

interface DemoFlags {
  file?: string[];
  ask?: string;
  model?: string;
  window: string;
  state?: string;
}

export function demoCommand(): Command {
  return new Command("demo")
    .description(
      "the main job, offline and without a key: a memory far larger than the window, a question, a cited answer",
    )
    .option("--file <path...>", "remember these texts (UTF-8) instead of the installed packages' documentation")
    .option("--ask <question>", "ask this instead of the question about them")
    .option("--model <provider/model>", "ask this model instead of the embedded one; reads keys from the environment")
    .option("--window <tokens>", "the agent's context window", "8000")
    .option("--state <folder>", "keep the state in this folder; by default it is removed at the end")
    .action(async (flags: DemoFlags) => {
      const passed = await runDemo({ ...material(flags), ...place(flags) });
      process.exitCode = passed ? EXIT.done : EXIT.failed;
    });
}

function material({ file, ask }: DemoFlags): Pick<DemoOptions, "documents" | "origin" | "question" | "expect"> {
  if (file === undefined) {
    const expect = ask === undefined ? { tokens: MEMORY_TOKENS, answer: ANSWER, source: SOURCE } : {};
    const question = ask ?? QUESTION;
    return { documents: packageDocuments(), origin: "documents of the installed packages", question, expect };
  }
  if (!ask?.trim()) throw new UsageError('--file needs a question: --ask "..."');
  return { documents: userDocuments(file), origin: "of your documents", question: ask, expect: {} };
}

function place({ model, window, state }: DemoFlags): Pick<DemoOptions, "model" | "windowTokens" | "state"> {
  const windowTokens = Number(window);
  if (!Number.isInteger(windowTokens)) throw new UsageError("--window takes a number of tokens");
  return { model, windowTokens, state };
}
