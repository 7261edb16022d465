import { LIMITS } from "../../kernel/limits.ts";
import type { Clock } from "../../kernel/ports.ts";

/**
 * What the hash chain does not record: who read what, and who was not let in. One line of JSON an event, on the console,
 * where the platform collects it. A line names ids and routes, never a key, a body, or a path as it was typed.
 *
 * Whoever tries keys must not be able to flood the log: after `LIMITS.refusedLoginLines` refused logins in a minute the
 * others of that minute are counted, and the number is logged with the first event of a later minute. An isolate counts
 * for itself.
 */

export interface Access {
  requestId: string;
  /** Null when nobody was let in. */
  keyId: string | null;
  tenant: string | null;
  /** As the OpenAPI document writes it; null when no route took the request. */
  route: string | null;
  status: number;
  ms: number;
}

const MINUTE_MS = 60_000;

export class AccessLog {
  readonly #clock: Clock;
  readonly #write: (line: string) => void;
  #minute = 0;
  #refused = 0;

  constructor(clock: Clock, write: (line: string) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  note(access: Access): void {
    this.#turn();
    if (access.status === 403 || access.status === 429) return this.#line("access.denied", access);
    if (access.status !== 401) return this.#line("access.granted", access);
    this.#refused += 1;
    if (this.#refused <= LIMITS.refusedLoginLines) {
      this.#line("access.refused", { ...access, refusedThisMinute: this.#refused });
    }
  }

  /** Sums up the minute before, when a new one has begun. */
  #turn(): void {
    const minute = Math.floor(this.#clock.now() / MINUTE_MS);
    if (minute === this.#minute) return;
    const before = new Date(this.#minute * MINUTE_MS).toISOString();
    if (this.#refused > 0) this.#line("access.refusals", { minute: before, refused: this.#refused });
    this.#minute = minute;
    this.#refused = 0;
  }

  #line(event: string, facts: object): void {
    this.#write(JSON.stringify({ level: "info", event, ...facts }));
  }
}
