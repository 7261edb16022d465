import type { Reporter } from "vitest/node";

const FIGURE = /^S(\d+): .+$/gm;

/** Prints the figures of the goals once more, in their order, when all is over. */
export default class FiguresReporter implements Reporter {
  readonly #figures = new Map<string, number>();

  onUserConsoleLog({ content }: { content: string }): void {
    for (const [line, goal] of content.matchAll(FIGURE)) this.#figures.set(line, Number(goal));
  }

  onTestRunEnd(): void {
    const lines = [...this.#figures].toSorted(([, a], [, b]) => a - b).map(([line]) => line);
    console.log(["", "Security goals", ...lines, ""].join("\n"));
  }
}
