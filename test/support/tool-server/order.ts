/**
 * What a request asks the scripted tool server to do, told by its URL, so that whoever makes the request needs no script:
 *
 * - `before`, `after`: milliseconds before it acts, and between the act and the reply.
 * - `fault`: `reset_before` breaks the connection instead of acting, `reset_after` acts and breaks it, `hang_before` and
 *   `hang_after` never reply.
 * - `times`: the fault comes to so many requests of this path and key, then no more.
 * - `status`, `type`, `size`: of the reply; `to`: a redirect to there.
 * - `echo`: the reply repeats all that the request said, in every common spelling.
 */
export interface Order {
  before: number;
  after: number;
  fault: Fault | null;
  times: number;
  status: number;
  type: string;
  size: number;
  to: string | null;
  echo: boolean;
}

const FAULTS = ["reset_before", "reset_after", "hang_before", "hang_after"] as const;
export type Fault = (typeof FAULTS)[number];

export function orderOf({ searchParams }: URL): Order {
  const number = (name: string, otherwise: number) => Number(searchParams.get(name) ?? otherwise);
  const to = searchParams.get("to");
  return {
    before: number("before", 0),
    after: number("after", 0),
    fault: FAULTS.find((fault) => fault === searchParams.get("fault")) ?? null,
    times: number("times", Number.POSITIVE_INFINITY),
    status: number("status", to === null ? 200 : 302),
    type: searchParams.get("type") ?? "application/json",
    size: number("size", 0),
    to,
    echo: searchParams.has("echo"),
  };
}

/** A line of the journal, on disk before what it tells of goes on. */
export type ToolEntry = {
  seq: number;
  at: string;
  request: number;
  method: string;
  path: string;
  key: string | null;
} & (
  | { type: "request"; headers: Record<string, string>; body: string }
  /** It had its effect, now. Requests that read act too: they are counted, and nothing else. */
  | { type: "act" }
  /** The key was there before: the effect is not had again. */
  | { type: "replay" }
  | { type: "reply"; status: number }
);
