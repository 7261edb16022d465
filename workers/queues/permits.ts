/** A fixed number of permits; whoever comes too late waits in line. */
export class Permits {
  #free: number;
  readonly #line: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves to the way to give the permit back; giving it back twice does nothing. */
  async take(): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((next) => this.#line.push(next));
    let held = true;
    return () => {
      if (held) this.#pass();
      held = false;
    };
  }

  #pass(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
