import type { SeededRandom } from "./seeded-random.ts";

/**
 * The work of one message: a sum over several steps, each of which needs the result of the one before. Whatever a crash
 * loses, repeats or mixes up shows in the answer, which is a function of the message alone.
 */
export interface Chain {
  /** Unique in the run. */
  id: string;
  start: number;
  steps: Step[];
}

/** One model call and its tools. The last step of a chain only answers. */
export interface Step {
  /** What the step adds to the sum by the tool `calculate`; absent in the last one. */
  add?: number;
  /** Writes the sum so far to a file. */
  file: boolean;
  /** Notes the sum so far. */
  note: boolean;
  /** Asks a tool server to act. */
  post?: Post;
  /** Before the model's first byte. */
  latencyMs: number;
  chunkDelayMs: number;
  /** What goes wrong with the first request of this step. */
  fault?: "busy" | "broken" | "reset";
}

export interface Post {
  /** Whether the server honours our key. */
  keyed: boolean;
  /** Unique in the run, without the part after `?`. */
  url: string;
}

/** Where chains may act: the base URLs of the tool servers. */
export interface Outside {
  keyed: string;
  plain: string;
}

const POST_SHARE = 0.3;
/** Between the act and the reply of a tool server. */
const REPLY_MAX_MS = 300;
const STEPS_MAX = 4;
const LATENCY_MAX_MS = 500;
const FAULT_SHARE = 0.04;
const PREFIX = "chain ";

/** `outside` = its steps may act there. */
export function makeChain(id: string, random: SeededRandom, outside: Outside | null): Chain {
  const steps = Array.from({ length: random.int(1, STEPS_MAX) }, (_, index) => ({
    ...makeStep(random),
    ...(outside !== null && random.chance(POST_SHARE) ? { post: makePost(`${id}/${index}`, random, outside) } : {}),
    add: random.int(1, 999),
    file: random.chance(0.6),
    note: random.chance(0.3),
  }));
  return { id, start: random.int(1, 999), steps: [...steps, { ...makeStep(random), file: false, note: false }] };
}

function makePost(path: string, random: SeededRandom, { keyed, plain }: Outside): Post {
  const isKeyed = random.chance(0.5);
  const after = random.int(0, REPLY_MAX_MS);
  return { keyed: isKeyed, url: `${isKeyed ? keyed : plain}/${path}?after=${after}` };
}

function makeStep(random: SeededRandom) {
  const fault = random.chance(FAULT_SHARE) ? random.pick(["busy", "broken", "reset"] as const) : undefined;
  return {
    latencyMs: random.int(0, LATENCY_MAX_MS),
    chunkDelayMs: random.int(0, 4),
    ...(fault === undefined ? {} : { fault }),
  };
}

/** The text of the message. */
export function contentOf(chain: Chain): string {
  return PREFIX + JSON.stringify(chain);
}

/** The chain that `text` asks for, or null when it asks for none. */
export function chainOf(text: string | null | undefined): Chain | null {
  return text?.startsWith(`${PREFIX}{`) ? (JSON.parse(text.slice(PREFIX.length)) as Chain) : null;
}

/** The sum before step `index` adds to it. */
export function sumBefore(chain: Chain, index: number): number {
  return chain.steps.slice(0, index).reduce((sum, step) => sum + (step.add ?? 0), chain.start);
}

export function answerOf(chain: Chain, sum = sumBefore(chain, chain.steps.length)): string {
  return `The sum of ${chain.id} is ${sum}.`;
}

/** Path and content of the file that step `index` writes. */
export function fileOf(chain: Chain, index: number, sum = sumBefore(chain, index)): { path: string; content: string } {
  return { path: `/workspace/${chain.id}/${index}.txt`, content: `${chain.id} had ${sum} at step ${index}` };
}

/** The note that step `index` makes. */
export function noteOf(chain: Chain, index: number, sum = sumBefore(chain, index)): string {
  return `Note of ${chain.id} at step ${index}: ${sum}.`;
}
