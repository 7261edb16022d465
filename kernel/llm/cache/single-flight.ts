import { withinMs } from "../../deadline.ts";

/**
 * One call for all who ask the same at the same time, within an isolate. The first makes it, the others wait for what it
 * shares; it is given up only when all of them have left. Who waited longer than `patienceMs` goes by itself: whoever made
 * the call may have died with its request.
 */
export class SingleFlight<Shared> {
  readonly #patienceMs: number;
  readonly #flights = new Map<string, Flight<Shared>>();

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** What the call under way shares; null when there is none, it shares nothing, or the wait was too long. */
  async join(key: string, signal: AbortSignal): Promise<Shared | null> {
    const flight = this.#flights.get(key);
    return flight === undefined ? null : flight.wait(signal, this.#patienceMs);
  }

  /** Makes the call for whoever joins meanwhile; `share` says what they get of it. */
  async lead<Made>(
    key: string,
    signal: AbortSignal,
    call: (signal: AbortSignal) => Promise<Made>,
    share: (made: Made) => Shared | null,
  ): Promise<Made> {
    const flight = new Flight<Shared>(signal);
    this.#flights.set(key, flight);
    try {
      const made = await call(flight.signal);
      flight.land(share(made));
      return made;
    } finally {
      flight.land(null);
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    }
  }
}

class Flight<Shared> {
  readonly #left = new AbortController();
  readonly #landing: PromiseWithResolvers<Shared | null> = Promise.withResolvers();
  #askers = 0;

  constructor(leader: AbortSignal) {
    this.#board(leader);
  }

  /** Aborts when all askers have left. */
  get signal(): AbortSignal {
    return this.#left.signal;
  }

  /** The first landing counts. */
  land(shared: Shared | null): void {
    this.#landing.resolve(shared);
  }

  async wait(signal: AbortSignal, patienceMs: number): Promise<Shared | null> {
    this.#board(signal);
    return withinMs(patienceMs, this.#landing.promise);
  }

  #board(asker: AbortSignal): void {
    this.#askers++;
    const leave = () => {
      this.#askers--;
      if (this.#askers === 0) this.#left.abort();
    };
    if (asker.aborted) leave();
    else asker.addEventListener("abort", leave, { once: true });
  }
}
