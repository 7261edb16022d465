import { LIMITS } from "../../kernel/limits.ts";
import { SeededRandom } from "../faults/seeded-random.ts";

/** Paths that try to leave the place they are given, made of the same few tricks in ever other orders. One seed replays them. */

const NAMES = [
  "workspace",
  "shared",
  "proc",
  "secret",
  "etc",
  "passwd",
  "self",
  "environ",
  "a.txt",
  "canary.txt",
  "agt_0",
  "WORKSPACE",
  "Workspace",
  "CON",
  "~",
  "*",
  "$HOME",
  ".",
];
/** `..` as people and programs have spelt it. */
const UPS = [
  "..",
  "...",
  "..;",
  ". .",
  ".. ",
  " ..",
  "%2e%2e",
  "%2E.",
  ".%2e",
  "%252e%252e",
  "..%00",
  "%c0%ae%c0%ae",
  "%uff0e%uff0e",
  "．．",
  "․․",
  "‥",
  "..\u0000",
  "..\u200b",
  "\u202e..",
  "..\ud800",
  "。。",
  "../.",
  "./..",
];
const SLASHES = [
  "/",
  "//",
  "///",
  "\\",
  "\\\\",
  "%2f",
  "%2F",
  "%252f",
  "%5c",
  "%c0%af",
  "／",
  "⁄",
  "∕",
  "/./",
  "/ /",
  "\u0000/",
  "/\n",
  ";/",
  "?/",
  "#/",
];
const STARTS = [
  "",
  "/",
  "//",
  "\\",
  "./",
  "../",
  "/workspace/",
  "/workspace",
  "workspace/",
  "/workspace/..",
  "/shared/",
  "/proc/",
  "file:///",
  "C:\\",
  "\\\\host\\share\\",
  "~/",
  "/workspace2/",
  "%2f",
  "／",
  "/./",
  "/workspace/./../",
];
const ENDS = ["", "/", "/.", "/..", "%00", "\u0000.txt", ".", "..", " ", "?version=1", "#x", ";a", "\r\n", "a\u0301"];
const TARGETS = ["secret/canary.txt", "etc/passwd", "proc/self/environ", "workspace2/canary.txt", "shared/canary.txt"];

export class HostilePaths {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  next(): string {
    const random = this.#random;
    const path = `${random.pick(STARTS)}${this.#climb()}${random.chance(0.6) ? random.pick(TARGETS) : this.#names()}${random.pick(ENDS)}`;
    if (random.chance(0.02)) return path.repeat(random.int(20, 200));
    // Short enough as it is given, and too long, or not, by the mount that is put before it.
    if (random.chance(0.01)) return "long".padEnd(LIMITS.filePathChars - random.int(0, 20), "x");
    if (random.chance(0.1)) return path.toUpperCase();
    return random.chance(0.05) ? path.normalize("NFD") : path;
  }

  #climb(): string {
    const steps = Array.from({ length: this.#random.int(0, 6) }, () => {
      const step = this.#random.chance(0.7) ? this.#random.pick(UPS) : this.#random.pick(NAMES);
      return step + this.#random.pick(SLASHES);
    });
    return steps.join("");
  }

  #names(): string {
    const names = Array.from({ length: this.#random.int(1, 4) }, () => this.#random.pick(NAMES));
    return names.join(this.#random.chance(0.7) ? "/" : this.#random.pick(SLASHES));
  }
}
