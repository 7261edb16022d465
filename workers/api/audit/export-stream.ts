import { systemClock } from "../../../durable-objects/ports.ts";
import { LIMITS } from "../../../kernel/limits.ts";
import type { AuditKey } from "../../../kernel/log/audit-key.ts";
import type { ChainEnd } from "../../../kernel/log/chain.ts";
import { headLine, lineOfCheckpoint, lineOfEnd } from "../../../kernel/log/exported-trail.ts";
import { lineOf } from "../../../kernel/log/segment-lines.ts";
import { answer } from "../../objects.ts";
import type { Trail } from "./trail.ts";

/** A trail as one file: see kernel/log/exported-trail.ts. It is made as fast as it is read, and never whole in memory. */
export function exportStream(trail: Trail, key: AuditKey | null): ReadableStream<Uint8Array> {
  const parts = exported(trail, key);
  const utf8 = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await parts.next();
      if (next.done) controller.close();
      else controller.enqueue(utf8.encode(next.value));
    },
    cancel: async () => void (await parts.return()),
  });
}

async function* exported(trail: Trail, key: AuditKey | null): AsyncGenerator<string, void> {
  const { tenant, object } = trail;
  const exportedAt = new Date(systemClock.now()).toISOString();
  yield headLine({ format: "aos-audit-1", tenant, object, exportedAt, publicKey: key?.publicKey ?? null });
  let end: ChainEnd = { seq: 0, hash: "0".repeat(64) };
  for await (const checkpoint of trail.checkpoints()) {
    yield `${(await trail.segment(checkpoint.segment)) ?? ""}${lineOfCheckpoint(checkpoint)}`;
    end = { seq: checkpoint.seq, hash: checkpoint.head };
  }
  if (!trail.witness.erased) end = yield* tail(trail, end);
  yield lineOfEnd(end);
}

/** What no checkpoint covers yet, up to the head as it is when this begins. Throws, which cuts the file, when the object is silent. */
async function* tail(trail: Trail, from: ChainEnd): AsyncGenerator<string, ChainEnd> {
  let end = from;
  for (let upTo = Number.POSITIVE_INFINITY; end.seq < upTo; ) {
    const read = await answer(trail.owner().log({ after: end.seq, limit: LIMITS.eventReplayRows }));
    if (!read.ok) throw new Error(read.error.message);
    upTo = Math.min(upTo, read.value.head);
    const entries = read.value.entries.filter(({ seq }) => seq <= upTo);
    yield entries.map((entry) => `${lineOf({ ...entry, data: JSON.stringify(entry.data) })}\n`).join("");
    const last = entries.at(-1);
    if (last === undefined) break;
    end = { seq: last.seq, hash: last.hash };
  }
  return end;
}
