/**
 * The frames of an agent's event socket (`fetch` with `Upgrade: websocket` and `?after=<seq>`).
 *
 * The object replays the log after `after` in batches: after each full batch it sends `more`, and the watcher asks for
 * the next with a text frame `{"after": <seq>}`; when all is sent it says `caught-up` and pushes live from then on. Token
 * deltas are never stored: a watcher that arrives in the middle of a reply gets `text-snapshot`, then deltas. Only `end` ends.
 */
export type WatchFrame =
  /** One log entry. `id` is its sequence number, `event` its kind. */
  | { id: number; event: string; at: string; data: unknown }
  | { event: "text-snapshot"; data: { callId: string; text: string } }
  | { event: "text-delta"; data: { callId: string; text: string } }
  | { event: "more"; data: { after: number } }
  | { event: "caught-up"; data: { seq: number } }
  /** The process has terminated and its whole log was sent. */
  | { event: "end"; data: { seq: number } };
