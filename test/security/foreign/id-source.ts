import { SeededRandom } from "../../support/ports.ts";
import { absentId, type Household, type Kind } from "./household.ts";

/** Ids that a stranger might try: another tenant's own, ones made up after their pattern, bent ones, and what is no id. */

/** None that a URL or a path would resolve away, such as `a/..`: they would name something else. */
const NO_IDS = [
  "0",
  "-1",
  "null",
  "undefined",
  "*",
  "%",
  "'; DROP TABLE agents; --",
  "../agents",
  "a b",
  "{id}",
  "[object Object]",
  "\u0000",
  "\u202e",
  "Ａ",
  "𝕒",
  "агент",
  " ",
  "__proto__",
  "constructor",
  "agt_",
  "key_%25",
  "x".repeat(300),
];

/** An id, and the same spelling of something that nobody has: what is refused for its spelling is so for both. */
export interface TriedId {
  id: string;
  twin: string;
}

export class IdSource {
  readonly #random: SeededRandom;
  readonly #victim: Household;
  readonly #stranger: Household;

  constructor(seed: number, victim: Household, stranger: Household) {
    this.#random = new SeededRandom(seed);
    this.#victim = victim;
    this.#stranger = stranger;
  }

  below(bound: number): number {
    const [a = 0, b = 0, c = 0] = this.#random.bytes(3);
    return (a * 65_536 + b * 256 + c) % bound;
  }

  next(kind: Kind): TriedId {
    const own = this.#victim.ids[kind];
    const absent = absentId(kind, this.#stranger.tenant, own);
    const strategies = [
      () => own,
      () => own,
      () => absentId(kind, this.#stranger.tenant, own),
      () => absentId(kind, this.#victim.tenant, own),
      () => this.#bent(own),
    ];
    const which = this.below(strategies.length + 2);
    const plain = strategies[which];
    if (plain !== undefined) return { id: plain(), twin: absent };
    if (which === strategies.length) return this.#spelt(own, absent);
    const text = NO_IDS[this.below(NO_IDS.length)] ?? "";
    return { id: text, twin: text };
  }

  /** One character is another. */
  #bent(id: string): string {
    const at = this.below(id.length);
    const char = "0123456789abcdefghjkmnpqrstvwxyz"[this.below(32)] ?? "0";
    return `${id.slice(0, at)}${char}${id.slice(at + 1)}`;
  }

  /** The same id as a careless parser might still take it. */
  #spelt(own: string, absent: string): TriedId {
    const index = this.below(12);
    const spell = (id: string) => this.#spellings(id)[index] ?? id;
    return { id: spell(own), twin: spell(absent) };
  }

  #spellings(id: string): string[] {
    const { tenant } = this.#victim;
    return [
      `${tenant}/${id}`,
      `../${tenant}/${id}`,
      id.toUpperCase(),
      `${id} `,
      ` ${id}`,
      `${id}\u0000`,
      `${id}/`,
      `${id}?`,
      `${id}#`,
      encodeURIComponent(`${tenant}/${id}`),
      `${id},${id}`,
      `["${id}"]`,
    ];
  }
}
