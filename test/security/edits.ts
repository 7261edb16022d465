import type { AuditKey } from "../../kernel/log/audit-key.ts";
import type { ChainRow } from "../../kernel/log/chain.ts";
import { type Checkpoint, statementOf } from "../../kernel/log/checkpoint.ts";
import { rehash, type Stored } from "../support/audit-trail.ts";
import type { SeededRandom } from "../support/ports.ts";

/** The ways to change a trail so that it says something else. Each makes exactly one change that matters, at a random place. */

/** Whole numbers from a seed. */
export class Dice {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** 0 <= n < `sides`. */
  below(sides: number): number {
    const [a = 0, b = 0, c = 0] = this.#random.bytes(3);
    return (a * 65_536 + b * 256 + c) % sides;
  }

  pick<T>(from: readonly T[]): T {
    const one = from[this.below(from.length)];
    if (one === undefined) throw new Error("nothing to pick from");
    return one;
  }
}

export interface Hands {
  dice: Dice;
  /** A key that is not the kernel's. */
  other: AuditKey;
}

type Edit = (stored: Stored, hands: Hands) => void | Promise<void>;

export const EDITS: Readonly<Record<string, Edit>> = {
  "a changed field": ({ rows }, { dice }) => {
    const at = dice.below(rows.length);
    rows[at] = changed(rowAt(rows, at), dice);
  },
  "a gap": ({ rows }, { dice }) => {
    rows.splice(dice.below(rows.length), 1 + dice.below(3));
  },
  "a gap, with the numbers moved up": (stored, { dice }) => {
    stored.rows.splice(dice.below(stored.rows.length), 1);
    stored.rows = stored.rows.map((row, index) => ({ ...row, seq: index + 1 }));
  },
  "two entries swapped": ({ rows }, { dice }) => {
    const at = dice.below(rows.length - 1);
    const [a, b] = [rowAt(rows, at), rowAt(rows, at + 1)];
    rows[at] = { ...b, seq: a.seq };
    rows[at + 1] = { ...a, seq: b.seq };
  },
  "an entry put in": (stored, { dice }) => {
    const at = dice.below(stored.rows.length);
    const more = { ...rowAt(stored.rows, at), actor: "key:nobody" };
    stored.rows.splice(at, 0, more);
    stored.rows = stored.rows.map((row, index) => ({ ...row, seq: index + 1 }));
  },
  "an edit, and all after it hashed again": (stored, { dice }) => {
    const at = dice.below(stored.rows.length);
    stored.rows[at] = changed(rowAt(stored.rows, at), dice, ["at", "kind", "callId", "actor", "data"]);
    stored.rows = rehash(stored.rows);
  },
  "an entry taken out, and all after it hashed again": (stored, { dice }) => {
    stored.rows.splice(dice.below(stored.rows.length), 1);
    stored.rows = rehash(stored.rows.map((row, index) => ({ ...row, seq: index + 1 })));
  },
  "a cut tail": ({ rows }, { dice }) => {
    rows.length -= 1 + dice.below(rows.length);
  },
  "a segment removed": ({ segments }, { dice }) => {
    segments.delete(dice.pick([...segments.keys()]));
  },
  "a segment altered": ({ segments }, { dice }) => {
    const name = dice.pick([...segments.keys()]);
    const text = segments.get(name) ?? "";
    const at = dice.below(text.length);
    segments.set(name, `${text.slice(0, at)}${text[at] === "7" ? "8" : "7"}${text.slice(at + 1)}`);
  },
  "a segment that says more than its chain": ({ segments }, { dice }) => {
    const name = dice.pick([...segments.keys()]);
    const lines = (segments.get(name) ?? "").split("\n");
    const at = dice.below(lines.length - 1);
    segments.set(name, dice.pick(BESIDE_THE_CHAIN)(lines, at).join("\n"));
  },
  "two segments swapped": ({ segments }, { dice }) => {
    const names = [...segments.keys()];
    const at = dice.below(names.length - 1);
    const [a = "", b = ""] = names.slice(at, at + 2);
    const [first, second] = [segments.get(a) ?? "", segments.get(b) ?? ""];
    segments.set(a, second).set(b, first);
  },
  "a checkpoint removed": ({ checkpoints }, { dice }) => {
    checkpoints.splice(dice.below(checkpoints.length), 1);
  },
  "a checkpoint altered": ({ checkpoints }, { dice }) => {
    const at = dice.below(checkpoints.length);
    const altered = { ...checkpointAt(checkpoints, at) };
    const field = dice.pick(["head", "segmentSha256", "previous", "at", "signature"] as const);
    checkpoints[at] =
      field === "at" ? { ...altered, at: altered.at - 1 } : { ...altered, [field]: turned(altered[field] ?? "") };
  },
  "a signature taken off": ({ checkpoints }, { dice }) => {
    const at = dice.below(checkpoints.length);
    checkpoints[at] = { ...checkpointAt(checkpoints, at), keyId: null, signature: null };
  },
  "a checkpoint forged with another key": async ({ checkpoints }, { dice, other }) => {
    const at = dice.below(checkpoints.length);
    const facts = {
      ...checkpointAt(checkpoints, at),
      keyId: dice.pick([other.id, checkpointAt(checkpoints, at).keyId]),
    };
    checkpoints[at] = { ...facts, signature: await other.sign(statementOf(facts)) };
  },
};

/** Changes of a segment's bytes under which its entries, as JSON is read, stay what they were: only its digest shows them. */
const BESIDE_THE_CHAIN: readonly ((lines: string[], at: number) => string[])[] = [
  // Another reader of JSON takes the first of two members of one name.
  (lines, at) => lines.with(at, (lines[at] ?? "").replace("{", '{"actor":"key:nobody",')),
  (lines, at) => lines.with(at, (lines[at] ?? "").replace(/}$/, ',"note":"approved by key:ada"}')),
  (lines, at) => lines.with(at, ` ${lines[at]}`),
  (lines) => lines.with(-1, '{"seq":1,"kind":"call.end"}'),
];

type Field = keyof ChainRow;

/** One field of the entry says something else. */
function changed(
  row: ChainRow,
  dice: Dice,
  fields: readonly Field[] = ["at", "kind", "callId", "actor", "data", "hash"],
): ChainRow {
  const field = dice.pick(fields);
  const was = row[field];
  if (typeof was === "number") return { ...row, [field]: was + 1 + dice.below(1_000) };
  if (field === "data") return { ...row, data: JSON.stringify({ ...JSON.parse(row.data), ok: false }) };
  return { ...row, [field]: field === "hash" ? turned(row.hash) : `${was ?? ""}x` };
}

/** The text with another first character. */
function turned(text: string): string {
  return `${text.startsWith("a") ? "b" : "a"}${text.slice(1)}`;
}

function rowAt(rows: readonly ChainRow[], at: number): ChainRow {
  const row = rows[at];
  if (row === undefined) throw new Error(`no entry ${at}`);
  return row;
}

function checkpointAt(checkpoints: readonly Checkpoint[], at: number): Checkpoint {
  const checkpoint = checkpoints[at];
  if (checkpoint === undefined) throw new Error(`no checkpoint ${at}`);
  return checkpoint;
}
