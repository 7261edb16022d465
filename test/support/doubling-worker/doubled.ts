/** A batch of a queue with half of its messages delivered twice. */

/** How the second delivery of a message comes; by the last bits of its id, so that a half of them comes once. */
const WAYS = ["once", "beside", "once", "after", "once", "beside", "once", "after, counted"] as const;

/** `first` is to be consumed to its end, then `second`. Only the first delivery of a message answers for it. */
export function doubled(batch: MessageBatch): { first: MessageBatch; second: MessageBatch } {
  const wayOf = ({ id }: Message) => WAYS[Number.parseInt(id.slice(-1), 16) % WAYS.length];
  const beside = batch.messages.filter((message) => wayOf(message) === "beside").map((message) => copyOf(message));
  const after = batch.messages.filter((message) => wayOf(message) === "after").map((message) => copyOf(message));
  const counted = batch.messages.filter((message) => wayOf(message) === "after, counted");
  return {
    first: batchOf(batch, [...batch.messages, ...beside]),
    second: batchOf(batch, [...after, ...counted.map((message) => copyOf(message, 1))]),
  };
}

function copyOf({ id, timestamp, body, attempts }: Message, more = 0): Message {
  return { id, timestamp, body, attempts: attempts + more, ack: () => {}, retry: () => {} };
}

function batchOf({ queue, metadata }: MessageBatch, messages: Message[]): MessageBatch {
  return { queue, metadata, messages, ackAll: () => {}, retryAll: () => {} };
}
