import type { ToolDefinition } from "../chat.ts";
import { arithmeticIn } from "./arithmetic.ts";
import type { Command } from "./command.ts";

/** What a person plainly wants of a tool without naming it: arithmetic, the time, a note, a question to somebody. */

const TIME =
  /^(?:(?:please\s+)?(?:tell me\s+)?(?:what(?:'s| is)\s+)?(?:the\s+)?(?:current\s+)?(?:time|date)(?:\s+(?:is it|now|today|right now))*|what time is it.*|what day is (?:it|today).*|what(?:'s| is) today'?s date|what(?:'s| is) the (?:current )?(?:time|date) in .*)[\s?.!]*$/i;
const TIME_ZH =
  /(?:现在|目前|当前)(?:是|的)?(?:几点|什么时间|时间|什么时候|日期)|今天(?:是|的)?(?:几号|日期|星期几|周几|多少号)/;
const ZONE = /\b[A-Z][A-Za-z]+\/[A-Z][A-Za-z_]+\b|\bUTC\b/;
const NOTE =
  /^(?:please\s+)?(?:remember|memori[sz]e|note|keep in mind|make a note)(?:\s+(?:that|of))?\s*[:,]?\s+(.+)$/is;
const NOTE_ZH = /^(?:请|麻烦)?(?:你)?(?:帮我)?(?:记住|记下来?|记录一下|记一下|牢记)[：:，,]?\s*(.+)$/s;
const ASK =
  /^(?:please\s+)?ask\s+(?:a|the|some)?\s*(?:person|human|user|operator|somebody|someone)\b\s*[,:]?\s*(?:(?:about|for|to)\s+)?(.+)$/is;
const ASK_ZH =
  /^(?:请|帮我)?(?:去)?(?:询问|问)(?:一下|问)?(?:一个)?(?:人类|人工|用户|操作员|负责人|人)[：:，,]?\s*(.+)$/s;

export function intentIn(input: string, tools: readonly ToolDefinition[]): Command | null {
  const offered = new Set(tools.map(({ function: { name } }) => name));
  const found = [arithmetic, time, note, question].map((rule) => rule(input)).find((command) => command !== null);
  return found !== undefined && offered.has(found.name) ? found : null;
}

function command(name: string, input: Record<string, string>): Command {
  return { name, arguments: JSON.stringify(input) };
}

function arithmetic(input: string): Command | null {
  const expression = arithmeticIn(input);
  return expression === null ? null : command("calculate", { expression });
}

function time(input: string): Command | null {
  if (!TIME.test(input) && !(TIME_ZH.test(input) && input.length < 40)) return null;
  const zone = ZONE.exec(input)?.[0];
  return command("time_now", zone === undefined ? {} : { timeZone: zone });
}

function note(input: string): Command | null {
  const content = (NOTE.exec(input) ?? NOTE_ZH.exec(input))?.[1]?.trim();
  return content === undefined ? null : command("memory_note", { content });
}

function question(input: string): Command | null {
  const asked = (ASK.exec(input) ?? ASK_ZH.exec(input))?.[1]?.trim().replace(/[.。]$/, "");
  if (asked === undefined || asked === "") return null;
  const text = asked.charAt(0).toUpperCase() + asked.slice(1);
  return command("ask_person", {
    question: /[?？]$/.test(text) ? text : `${text}${/\p{Script=Han}$/u.test(text) ? "？" : "?"}`,
  });
}
