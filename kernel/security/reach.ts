import { err, type KernelError } from "../errors.ts";
import type { PermissionLevel } from "../process/spec.ts";
import { HostRules } from "./host-rules.ts";
import { allows } from "./levels.ts";

/** How far one process's requests may go (kernel design, section 9): by its level, and by the hosts that it was granted. */
export interface Reach {
  readonly methods: "none" | "read" | "any";
  /** `public` = every host that the egress guard lets through. */
  readonly hosts: HostRules | "public";
  /** Hosts that no grant and no level reaches. */
  readonly denied: HostRules;
}

/** Methods that only read, so that a request may be made again. */
export function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

export function reachOf(
  level: PermissionLevel,
  grantedHosts: readonly string[],
  deniedHosts: readonly string[] = [],
): Reach {
  const methods = allows(level, "web.any") ? "any" : allows(level, "web.get") ? "read" : "none";
  const [granted, denied] = [HostRules.of(grantedHosts), HostRules.of(deniedHosts)];
  // Rules are judged when they are given. If one that denies cannot be read, nothing is reached.
  if (!granted.ok || !denied.ok) return { methods: "none", hosts: HostRules.none, denied: HostRules.none };
  return { methods, hosts: allows(level, "web.public") ? "public" : granted.value, denied: denied.value };
}

/** Whether there is anything at all that it may fetch. */
export function reachesAny({ methods, hosts }: Reach): boolean {
  return methods !== "none" && (hosts === "public" || !hosts.isEmpty);
}

/** Why `reach` does not cover the request, or null when it does. */
export function outOfReach(reach: Reach, method: string, url: URL): KernelError | null {
  if (reach.methods === "none" || (reach.methods === "read" && !isRead(method))) {
    return err("forbidden", `this process may not send ${method} requests`).error;
  }
  if (reach.denied.matches(url)) return err("forbidden", `${url.host} is denied to this process`).error;
  if (reach.hosts === "public" || reach.hosts.matches(url)) return null;
  return err("forbidden", `${url.host} is not among the hosts that this process was granted`).error;
}
