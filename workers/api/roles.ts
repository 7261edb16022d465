/**
 * What a key may do. A viewer reads and watches; an operator also does everything that acts in the tenant; an admin also
 * hands out the tenant's keys and sets its quotas. The bootstrap key stands above them: it alone administers tenants.
 *
 * Each route names the least role that it needs in its definition (`security: needs("operator")`), so the OpenAPI document
 * shows it. `permitted` reads it there, and refuses everybody a route under `/v1` that names none.
 */

/** The roles that a key can have, the least first. */
export const ROLES = ["viewer", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** What a route can ask for. */
const RANKS = [...ROLES, "bootstrap"] as const;
export type Rank = (typeof RANKS)[number];

export function isRank(name: string | undefined): name is Rank {
  return RANKS.some((rank) => rank === name);
}

export function reaches(rank: Rank, least: Rank): boolean {
  return RANKS.indexOf(rank) >= RANKS.indexOf(least);
}

/** The `security` of a route, as OpenAPI 3.1 writes roles. */
export function needs(least: Rank) {
  return [{ bearer: [least] }];
}
