/** The bytes that a request wants of a file: all, one range of them, or some that are not there. */
export type ByteRange = { kind: "whole" } | { kind: "part"; from: number; to: number } | { kind: "unsatisfiable" };

const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/** `to` is the last byte, as HTTP counts. What is no single range asks for the whole, as RFC 9110 allows. */
export function byteRange(header: string | undefined, size: number): ByteRange {
  const match = RANGE.exec(header ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (match === null || (first === "" && last === "")) return { kind: "whole" };
  const from = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  return from >= size || to < from ? { kind: "unsatisfiable" } : { kind: "part", from, to };
}
