import { deepseek } from "./deepseek.ts";
import type { Dialect } from "./dialect.ts";
import { kimi } from "./kimi.ts";
import { ollama } from "./ollama.ts";
import { openai } from "./openai.ts";
import { plain } from "./plain.ts";

/** Every dialect of one server, each with caches of its own, and which of them a path speaks to. */
export class Dialects {
  readonly #named: readonly Dialect[] = [openai(), deepseek(), kimi(), ollama()];
  readonly #plain = plain();

  /** The dialect, and the path as its vendor knows it. */
  of(path: string): { dialect: Dialect; path: string } {
    const dialect = this.#named.find(({ name }) => path.startsWith(`/${name}/`));
    return dialect === undefined
      ? { dialect: this.#plain, path }
      : { dialect, path: path.slice(dialect.name.length + 1) };
  }
}
