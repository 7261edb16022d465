/** Something that rings for one waiter. A ring that nobody waits for is kept, so none is missed. */
export class Bell {
  #rang = false;
  #broken = false;
  #wake: (() => void) | null = null;

  /** It will not ring by itself any more. */
  get isBroken(): boolean {
    return this.#broken;
  }

  ring(): void {
    this.#rang = true;
    this.#wake?.();
  }

  /** Rings a last time. */
  break(): void {
    this.#broken = true;
    this.ring();
  }

  /** True at the next ring, false when `patienceMs` have passed without one. */
  async rings(patienceMs: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      if (this.#rang || patienceMs <= 0) return resolve();
      this.#wake = resolve;
      timer = setTimeout(resolve, patienceMs);
    });
    clearTimeout(timer);
    this.#wake = null;
    const rang = this.#rang;
    this.#rang = false;
    return rang;
  }
}
