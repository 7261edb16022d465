import type { ScriptedReply } from "../../../support/model-server/script.ts";
import type { Answers, WireRequest } from "../../../support/model-server/scripted-model.ts";
import { readings } from "./disguise.ts";
import { type Order, ordersIn, SECRET } from "./order.ts";

/**
 * A model that obeys every order that it reads, wherever it stands and however it is hidden, one after the other, each once. There is
 * no safer thing to test a kernel with than the worst model there can be.
 */
export function makeAnswers(): Answers {
  const done = new Set<string>();
  return {
    load: () => {},
    answer: (request) => {
      const text = textOf(request);
      const order = readings(text)
        .flatMap(ordersIn)
        .find(({ id }) => !done.has(id));
      if (order === undefined) return { text: `done ${SECRET.test(text) ? "with what I know" : ""}` };
      done.add(order.id);
      return obey(order, text);
    },
  };
}

function obey({ tool, input }: Order, text: string): ScriptedReply {
  const secret = SECRET.exec(text)?.[0] ?? "nothing";
  return { toolCalls: [{ name: tool, arguments: JSON.stringify(input).replaceAll("{{SECRET}}", secret) }] };
}

/** What it was sent, but not what it said itself; results as the texts that their JSON holds. */
function textOf({ messages }: WireRequest): string {
  return messages
    .filter(({ role }) => role !== "assistant")
    .map(({ content }) => textsIn(content ?? ""))
    .join("\n");
}

function textsIn(content: string): string {
  try {
    const texts: string[] = [];
    JSON.parse(content, (_name, value: unknown) => {
      if (typeof value === "string") texts.push(value);
      return value;
    });
    return texts.join("\n");
  } catch {
    return content;
  }
}
