import { err, ok, type Result } from "../errors.ts";
import { withoutRoot } from "./host-name.ts";

/**
 * Lists of hosts as operators and spawns write them: `host`, `host:port`, or `*.host` for all names below it. A rule without a
 * port holds for every port. Hosts are compared as `URL` writes them, so that every spelling of a host is one host.
 */

export const HOST_RULE = "a host, host:port or *.host";

interface HostRule {
  host: string;
  port: string | null;
  below: boolean;
}

const SHAPE = /^(\*\.)?(\[[0-9a-f:.]+\]|[^\s/?#@\\:%[\]*]+)(?::(\d{1,5}))?$/i;
const DEFAULT_PORT: Record<string, string> = { "http:": "80", "https:": "443" };

export class HostRules {
  readonly #rules: readonly HostRule[];

  private constructor(rules: readonly HostRule[]) {
    this.#rules = rules;
  }

  static readonly none = new HostRules([]);

  /** `invalid_input` names the first entry that is no rule. */
  static of(entries: readonly string[]): Result<HostRules> {
    const rules = entries.map(ruleOf);
    const bad = rules.indexOf(null);
    if (bad >= 0) return err("invalid_input", `${JSON.stringify(entries[bad])} is not ${HOST_RULE}`);
    return ok(new HostRules(rules.filter((rule) => rule !== null)));
  }

  /** A comma-separated list; empty text holds no rule. */
  static parse(text: string): Result<HostRules> {
    return HostRules.of(text.trim() === "" ? [] : text.split(",").map((entry) => entry.trim()));
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  matches(url: URL): boolean {
    const host = withoutRoot(url.hostname);
    const port = url.port || DEFAULT_PORT[url.protocol];
    return this.#rules.some(
      (rule) =>
        (rule.port === null || rule.port === port) &&
        (rule.below ? host.endsWith(`.${rule.host}`) : host === rule.host),
    );
  }
}

/** Whether every host that `asked` names is one that `held` names too. Entries that are no rule are covered by nothing. */
export function coversHosts(held: readonly string[], asked: readonly string[]): boolean {
  const rules = held.map(ruleOf).filter((rule) => rule !== null);
  return asked.every((entry) => {
    const rule = ruleOf(entry);
    return rule !== null && rules.some((one) => covers(one, rule));
  });
}

function covers(held: HostRule, asked: HostRule): boolean {
  if (held.port !== null && held.port !== asked.port) return false;
  if (!held.below) return !asked.below && held.host === asked.host;
  return asked.host.endsWith(`.${held.host}`) || (asked.below && asked.host === held.host);
}

export function isHostRule(entry: string): boolean {
  return ruleOf(entry) !== null;
}

function ruleOf(entry: string): HostRule | null {
  const [, below, text, port] = SHAPE.exec(entry) ?? [];
  const host = text === undefined ? undefined : URL.parse(`http://${text}/`)?.hostname;
  if (host === undefined || Number(port ?? 1) < 1 || Number(port ?? 1) > 65_535) return null;
  return {
    host: withoutRoot(host),
    port: port === undefined ? null : String(Number(port)),
    below: below !== undefined,
  };
}
