import type { Result } from "../errors.ts";
import type { HostRules } from "./host-rules.ts";

/**
 * A secret for hosts outside: headers that the egress guard puts on a request to these hosts and to no other. A process names a
 * credential that it was granted and never sees what it holds: not in a prompt, not in a result, not in the log.
 */
export interface Credential {
  readonly name: string;
  /** Names in lower case. They replace what the asker says under the same names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly hosts: HostRules;
}

/** A tenant's credentials, as its processes reach them. */
export interface CredentialStore {
  /** `not_found` = nobody stored it; `tool_unavailable` = it cannot be opened now. Nothing is kept between two calls. */
  open(name: string): Promise<Result<Credential>>;
}
