/** The language that `local/reader` answers in, and what it says of its own. Everything else that it says is quoted. */

export type Language = "en" | "zh";

const HAN = /\p{Script=Han}/gu;
const LETTER = /\p{L}/gu;
/** A Chinese question may name English things: this part of Han letters makes it Chinese. */
const HAN_SHARE = 0.2;

export function languageOf(text: string): Language {
  const han = text.match(HAN)?.length ?? 0;
  const letters = text.match(LETTER)?.length ?? 0;
  return han > 0 && han >= letters * HAN_SHARE ? "zh" : "en";
}

export interface Phrases {
  /** The goal asks for nothing in particular. */
  idle: string;
  /** Memory was searched and holds nothing on it. */
  noAnswer: string;
  noSuchTool: (name: string) => string;
  noted: (content: string) => string;
  answered: (answer: string) => string;
  failed: (name: string, code: string, message: string) => string;
}

export const PHRASES: Record<Language, Phrases> = {
  en: {
    idle:
      "I am local/reader, the embedded retrieval reader, not a language model: I quote what stands in memory, do " +
      "arithmetic and call tools by name. Nothing in particular was asked, so there is nothing for me to do.",
    noAnswer:
      "Memory holds no answer to this. I am local/reader, a retrieval reader and not a language model: I can only " +
      "quote what stands in memory, do arithmetic and call tools by name.",
    noSuchTool: (name) => `No tool named ${name} is offered to me.`,
    noted: (content) => `Noted: ${content}`,
    answered: (answer) => `The person answered: ${answer}`,
    failed: (name, code, message) => `${name} failed (${code}): ${message}`,
  },
  zh: {
    idle:
      "我是 local/reader，内置的检索阅读器，不是大语言模型：我引用记忆中的原文、做算术、按名称调用工具。" +
      "目前没有具体的问题，因此没有可做的事。",
    noAnswer:
      "记忆中没有这个问题的答案。我是 local/reader，检索阅读器，不是大语言模型：我只能引用记忆中的原文、做算术、按名称调用工具。",
    noSuchTool: (name) => `没有向我提供名为 ${name} 的工具。`,
    noted: (content) => `已记下：${content}`,
    answered: (answer) => `对方回答：${answer}`,
    failed: (name, code, message) => `${name} 失败（${code}）：${message}`,
  },
};
