/** What the loop does after a step: the next one, or wait for its alarm. */
export type Next = "again" | "rest";
