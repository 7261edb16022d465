import type { ScriptedReply, ScriptedUsage } from "../script.ts";
import type { WireRequest } from "../scripted-model.ts";

/**
 * What makes a vendor's server that vendor's: the shapes of its replies, errors and lists, what it refuses, how it caches.
 * One a vendor, after its documentation; `server.ts` finds it by the first part of the path (`/deepseek/chat/completions`).
 */

/** A reply on its way out, with all that a shape may need. */
export interface Outgoing {
  id: string;
  request: WireRequest;
  /** What is still to be said: without a prefix that the request brought. */
  reply: ScriptedReply;
  usage: Required<ScriptedUsage>;
}

export interface ErrorFacts {
  message?: string;
  type?: string;
  code?: string | null;
}

/** A request that the vendor answers with an error. */
export interface Refusal extends ErrorFacts {
  status: number;
  message: string;
}

/** How replies look on the wire. Strings are whole pieces of a body, framing included. */
export interface Shapes {
  readonly contentType: string;
  whole(out: Outgoing): object;
  /** The first piece carries no text. */
  pieces(out: Outgoing): string[];
  /** The reason it ended, unless `silent`. */
  finish(out: Outgoing, silent: boolean): string;
  /** The vendor's terminal event, after `finish`. Empty where the last piece of `finish` is that. */
  readonly terminal: string;
  /** What says that the vendor is still there. */
  readonly keepAlive: string;
  /** A piece that is no JSON. */
  readonly garbage: string;
  errorPiece(facts: ErrorFacts): string;
  errorBody(facts: ErrorFacts): object;
}

export interface Dialect extends Shapes {
  /** The first part of its paths; empty for the plain server. */
  readonly name: string;
  /** Whether chat is served under `path`, which begins after the name. */
  serves(path: string): boolean;
  /** The answer to a request that is no chat, or null for 404. */
  list(path: string, body: string): object | null;
  /** What the vendor would say to a request that breaks its rules; null = welcome. */
  refusal(request: WireRequest, path: string): Refusal | null;
  /** The beginning of the reply that the request brought; empty when it brought none. */
  prefix(request: WireRequest): string;
  /** Tokens of the prompt in the vendor's cache; remembers the prompt. */
  cached(request: WireRequest, promptTokens: number): number;
  /** What no waiting cures: an account without credit. */
  readonly spendCap: Refusal;
}
