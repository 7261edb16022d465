/** What tests tell the scripted model server to answer. Plain JSON, because it crosses a process border. */

export interface ScriptedCall {
  name: string;
  /** An object is sent as JSON; a string is sent as it is, so that it may be malformed. */
  arguments: object | string;
}

export interface ScriptedUsage {
  promptTokens?: number;
  cachedTokens?: number;
  completionTokens?: number;
  reasoningTokens?: number;
}

/** What goes wrong. `afterChunks` counts chunks of text that are still sent. */
export type Fault =
  /** An error status with an OpenAI-shaped body. */
  | { kind: "status"; status: number; message?: string; code?: string; type?: string; headers?: Record<string, string> }
  /** 429 that asks to wait, in seconds or by date. */
  | { kind: "rate_limit"; retryAfterSeconds: number; as: "seconds" | "date" }
  /** 429 that no waiting cures. */
  | { kind: "spend_cap" }
  /** Accepts the request and never answers. */
  | { kind: "hang_headers" }
  /** Answers the headers of an error and never its body. */
  | { kind: "hang_error"; status: number }
  /** Stops in the middle and keeps the connection open. */
  | { kind: "hang_stream"; afterChunks: number }
  /** Closes the connection in order in the middle: a clean FIN that looks like a normal end. */
  | { kind: "fin"; afterChunks: number }
  /** Sends everything, the finish reason too, but not the terminal event. */
  | { kind: "no_terminal_event" }
  /** Sends the terminal event without a finish reason. */
  | { kind: "no_finish_reason" }
  /** Resets the connection in the middle. */
  | { kind: "rst"; afterChunks: number }
  /** `{"error": ...}` in the middle of a stream that began with 200. */
  | { kind: "error_in_stream"; afterChunks: number; message: string; code?: string; type?: string }
  /** A chunk that is no JSON. */
  | { kind: "garbage"; afterChunks: number }
  /** JSON that is no chat completion. */
  | { kind: "wrong_json" }
  /** A page of HTML with status 200. */
  | { kind: "html" }
  /** The last chunk and the terminal event come twice. */
  | { kind: "doubled_end" }
  /** Text without end, up to `bytes`. */
  | { kind: "huge"; bytes: number }
  /** One byte a second, or every `everyMs`. */
  | { kind: "drip"; everyMs?: number };

export interface ScriptedReply {
  text?: string;
  reasoning?: string;
  toolCalls?: ScriptedCall[];
  /** Absent = counted honestly; null = the server sends none. */
  usage?: ScriptedUsage | null;
  finishReason?: string;
  /** Before the headers. */
  latencyMs?: number;
  /** Characters of text in a chunk. */
  chunkChars?: number;
  /** Before each chunk. */
  chunkDelayMs?: number;
  /** Comment lines before the first chunk, as busy vendors send them. */
  keepAlives?: number;
  /** Answers one JSON value although a stream was asked for. */
  whole?: boolean;
  fault?: Fault;
}

/** Answers matching requests. Without `match` it answers all. */
export interface Rule {
  match?: {
    /** Parts of the newest user text, the newest tool result, and the model's id. */
    lastUser?: string;
    lastTool?: string;
    model?: string;
  };
  /** How often it answers; absent = always. */
  times?: number;
  reply: ScriptedReply;
}

/** `queue` is used up first, in order; then the first rule that matches; then the default, an echo. */
export interface Script {
  queue?: ScriptedReply[];
  rules?: Rule[];
}

/** A line of the journal. `reply` is written before its first byte leaves, `end` when it has left or broken off. */
export type JournalEntry =
  | { seq: number; at: string; type: "request"; request: number; model: string; body: unknown }
  | {
      seq: number;
      at: string;
      type: "reply";
      request: number;
      text: string;
      toolCalls: ScriptedCall[];
      usage: Required<ScriptedUsage>;
      fault: Fault["kind"] | null;
    }
  | { seq: number; at: string; type: "end"; request: number; complete: boolean };
