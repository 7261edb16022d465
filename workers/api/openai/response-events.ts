import type { ChatReply } from "../../../kernel/llm/chat.ts";
import type { AnswerEvent } from "./answer-events.ts";
import { type FrameWriter, frame, restOf } from "./event-frames.ts";
import { messageItem, outputOf, type ResponseHeading, responseOf, statusOf, textPart } from "./response-object.ts";

type Item = ReturnType<typeof outputOf>[number];

/**
 * The events of a streamed response: each item of the output is announced, filled and closed, in order; the whole response
 * comes last. Every event carries its number.
 */
export class ResponseEvents implements FrameWriter {
  readonly #heading: ResponseHeading;
  #number = 0;
  #text = "";
  #open = false;

  constructor(heading: ResponseHeading) {
    this.#heading = heading;
  }

  begin(): string {
    const response = responseOf(this.#heading, "in_progress");
    return this.#frame("response.created", { response }) + this.#frame("response.in_progress", { response });
  }

  write(event: AnswerEvent): string {
    if (event.type === "delta") return this.#delta(event.text);
    // This surface has items for summaries of reasoning, and vendors send the reasoning itself.
    if (event.type === "reasoning") return "";
    return event.result.ok ? this.#end(event.result.value) : this.#failed(event.result.error);
  }

  #delta(text: string): string {
    const announced = this.#open ? "" : this.#announce();
    this.#text += text;
    return announced + this.#frame("response.output_text.delta", { ...this.#place, delta: text, logprobs: [] });
  }

  #announce(): string {
    this.#open = true;
    const item = { ...messageItem(this.#heading.id, ""), status: "in_progress", content: [] };
    const added = this.#frame("response.output_item.added", { output_index: 0, item });
    return added + this.#frame("response.content_part.added", { ...this.#place, part: textPart("") });
  }

  #end(reply: ChatReply): string {
    const rest = restOf(reply.content, this.#text);
    const last = rest === "" ? "" : this.#delta(rest);
    // What was written counts: an agent's earlier steps stand in the stream before its reply.
    const said = { ...reply, content: this.#text };
    const items = outputOf(this.#heading.id, said).map((item, index) => this.#item(item, index));
    const status = statusOf(reply);
    const response = responseOf(this.#heading, status, said);
    return [last, ...items, this.#frame(`response.${status}`, { response })].join("");
  }

  #item(item: Item, index: number): string {
    const done = { output_index: index, item };
    if (item.type === "message") return this.#closeText() + this.#frame("response.output_item.done", done);
    const place = { item_id: item.id, output_index: index };
    const empty = { ...item, arguments: "", status: "in_progress" };
    return [
      this.#frame("response.output_item.added", { output_index: index, item: empty }),
      this.#frame("response.function_call_arguments.delta", { ...place, delta: item.arguments }),
      this.#frame("response.function_call_arguments.done", { ...place, name: item.name, arguments: item.arguments }),
      this.#frame("response.output_item.done", done),
    ].join("");
  }

  #closeText(): string {
    const announced = this.#open ? "" : this.#announce();
    const done = this.#frame("response.output_text.done", { ...this.#place, text: this.#text, logprobs: [] });
    return announced + done + this.#frame("response.content_part.done", { ...this.#place, part: textPart(this.#text) });
  }

  #failed(error: Parameters<typeof responseOf>[3]): string {
    return this.#frame("response.failed", { response: responseOf(this.#heading, "failed", null, error) });
  }

  /** Where the text stands: it is always the first part of the first item. */
  get #place() {
    return { item_id: messageItem(this.#heading.id, "").id, output_index: 0, content_index: 0 };
  }

  #frame(type: string, facts: object): string {
    return frame({ type, sequence_number: this.#number++, ...facts }, type);
  }
}
