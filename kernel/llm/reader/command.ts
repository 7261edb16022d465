import type { ToolDefinition } from "../chat.ts";
import { parseJson } from "../wire.ts";
import { arithmeticIn } from "./arithmetic.ts";

/**
 * Tool calls that an input spells out: `call file_write {"path": "a.txt", "content": "x"}`, `file_read("a.txt")`, "use
 * calculate on 2+2", `调用 time_now`. They are done as written and in order, whatever a person means by them.
 */

export interface Command {
  name: string;
  /** JSON text of the arguments, as written: also when it is wrong, because the kernel says best what is wrong. */
  arguments: string;
}

const VERB = "(?:call|invoke|run|use|execute|调用|使用|运行|执行|用)";
/** A verb before a tool's name, or a line that begins with the name and its arguments. */
const SPELLED = new RegExp(
  `(?:(?<![\\w-])${VERB}\\s*(?:the\\s+)?(?:tools?\\s+|工具\\s*)?[\`"']?([a-z][a-z0-9]*(?:_+[a-z0-9]+)*)[\`"']?` +
    `|^[ \\t]*(?:[-*]|\\d+[.)])?[ \\t]*\`?([a-z][a-z0-9]*(?:_+[a-z0-9]+)*)\`?(?=[ \\t]*[({]))`,
  "gim",
);
/** "How do I use file_read?" asks about a tool and calls none. */
const ASKS_ABOUT = /^(?:how|why|when|which|what|should)\b.*\?\s*$|(?:如何|怎么|怎样|为什么).*[?？]?\s*$/is;
const LEAD_IN = /^\s*(?:tools?\b|工具)?\s*(?:(?:with|on|for|to|at|of|来|对)(?=[\s"'`\d(])|[:：])?\s*/i;
const TAIL =
  /\s*(?:,?\s*(?:and|then)\s+(?:then\s+)?(?:tell|report|answer|give|show|say|let|call|use|run)\b.*|[,，;；]?\s*(?:然后|并|再).*)$/is;

/** The calls of `input` in order, and names that it calls but nobody offers. */
export function commandsIn(input: string, tools: readonly ToolDefinition[]): { calls: Command[]; unknown: string[] } {
  const calls: Command[] = [];
  const unknown: string[] = [];
  const matches = [...input.matchAll(SPELLED)];
  let consumed = 0;
  for (const [i, match] of matches.entries()) {
    if (match.index < consumed) continue;
    const name = match[1] ?? match[2] ?? "";
    const tool = tools.find(({ function: { name: offered } }) => offered === name);
    const from = match.index + match[0].length;
    if (tool === undefined) {
      if (name.includes("_")) unknown.push(name);
      continue;
    }
    if (ASKS_ABOUT.test(input) && !/^\s*[({]/.test(input.slice(from))) continue;
    const written = writtenArguments(input, from, tool, matches[i + 1]?.index ?? input.length);
    calls.push({ name, arguments: written.json });
    consumed = written.end;
  }
  return { calls, unknown };
}

function writtenArguments(
  input: string,
  from: number,
  tool: ToolDefinition,
  next: number,
): { json: string; end: number } {
  const lead = LEAD_IN.exec(input.slice(from))?.[0].length ?? 0;
  const open = input.slice(from).match(/^\s*\(\s*/)?.[0].length ?? lead;
  if (input[from + open] === "{") {
    const json = balanced(input, from + open);
    return { json, end: from + open + json.length };
  }
  const line = input.indexOf("\n", from);
  const end = Math.min(next, line < 0 ? input.length : line);
  return { json: JSON.stringify(naturalArguments(input.slice(from, end), tool)), end };
}

/** The JSON object that begins at `from`: to its closing brace outside strings, else to the end of the line. */
function balanced(text: string, from: number): string {
  let depth = 0;
  let quoted = false;
  for (let i = from; i < text.length; i++) {
    const char = text[i];
    if (quoted && char === "\\") i++;
    else if (char === '"') quoted = !quoted;
    else if (!quoted && char === "{") depth++;
    else if (!quoted && char === "}" && --depth === 0) return text.slice(from, i + 1);
  }
  const line = text.indexOf("\n", from);
  return text.slice(from, line < 0 ? text.length : line).trim();
}

/** Words instead of JSON fill the one argument that they can only mean: the first required one, else the first. */
function naturalArguments(words: string, tool: ToolDefinition): Record<string, unknown> {
  const text = words
    .replace(/^\s*\(([^)]*)\)/, "$1")
    .replace(LEAD_IN, "")
    .replace(TAIL, "")
    .trim()
    .replace(/^[`"'“]|[`"'”]?[.。!！]?$/g, "");
  const property = mainProperty(tool);
  return text === "" || property === undefined ? {} : { [property]: shaped(text, property) };
}

function mainProperty({ function: { parameters } }: ToolDefinition): string | undefined {
  const { required, properties } = parameters as { required?: string[]; properties?: Record<string, unknown> };
  return required?.[0] ?? Object.keys(properties ?? {})[0];
}

function shaped(text: string, property: string): unknown {
  if (property === "expression") return arithmeticIn(text) ?? text;
  if (property === "path") return /[\w./-]*[./][\w./-]+/.exec(text)?.[0] ?? text;
  if (property === "url") return /https?:\/\/\S+/.exec(text)?.[0] ?? text;
  const value = parseJson(text);
  return typeof value === "number" || typeof value === "boolean" ? value : text;
}
