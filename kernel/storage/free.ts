/**
 * Gives the memory of `bytes` back at once; they are empty from then on. For arrays of megabytes: V8 counts what stands
 * outside of its heap, but looks only when it collects, and until then a runtime at rest holds what nobody reads. Rule for
 * callers: the array is nobody else's, and no call that took it is still under way.
 */
export function free(bytes: Uint8Array<ArrayBuffer>): void {
  bytes.buffer.transfer(0);
}
