/**
 * Vectors on the wire: base64 of 32-bit floats, little-endian, is what OpenAI's clients ask for by default, and a third of the
 * size of numbers in JSON.
 */

const FLOAT_BYTES = 4;

export function encodeVector(numbers: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(numbers.length * FLOAT_BYTES));
  for (const [index, number] of numbers.entries()) view.setFloat32(index * FLOAT_BYTES, number, true);
  return btoa(Array.from(new Uint8Array(view.buffer), (byte) => String.fromCharCode(byte)).join(""));
}

/** The numbers, or null when `base64` is none of a vector. */
export function decodeVector(base64: string): number[] | null {
  const bytes = bytesOf(base64);
  if (bytes === null || bytes.length === 0 || bytes.length % FLOAT_BYTES !== 0) return null;
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / FLOAT_BYTES }, (_, index) => view.getFloat32(index * FLOAT_BYTES, true));
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
