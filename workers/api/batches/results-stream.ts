import type { ResultPlace } from "../../../durable-objects/batch-job/rpc.ts";

/** Bytes `from` to `to` (the last one) of a file that stands in several objects, read one after the other. */
export function resultsStream(
  bucket: R2Bucket,
  places: readonly ResultPlace[],
  from: number,
  to: number,
): ReadableStream<Uint8Array> {
  const wanted = places.filter(({ offset, bytes }) => offset <= to && offset + bytes > from).values();
  let reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        if (reader === null) {
          const next = wanted.next();
          if (next.done) return controller.close();
          reader = (await open(bucket, next.value, from, to)).getReader();
        }
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        reader = null;
      }
    },
    cancel: async (reason) => reader?.cancel(reason),
  });
}

async function open(bucket: R2Bucket, place: ResultPlace, from: number, to: number): Promise<ReadableStream> {
  const offset = Math.max(0, from - place.offset);
  const length = Math.min(place.bytes, to - place.offset + 1) - offset;
  const object = await bucket.get(place.key, { range: { offset, length } });
  if (object === null) throw new Error(`the results miss ${place.key}`);
  return object.body;
}
