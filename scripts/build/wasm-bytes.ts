/** The encoding of WebAssembly as far as a rewriter needs it: numbers, and how long each instruction is. */

export class WasmBytes {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  get ended(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new Error("the module ends too early");
    return byte;
  }

  take(length: number): Uint8Array {
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  unsigned(): number {
    let value = 0;
    for (let place = 1; ; place *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * place;
      if (byte < 0x80) return value;
    }
  }

  /** A number of either sign whose value does not matter. */
  skipNumber(): void {
    while (this.byte() >= 0x80);
  }
}

export function writeUnsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...writeUnsigned(Math.floor(value / 128))];
}

/** How many numbers follow an opcode that is followed by numbers. */
const NUMBERS: Readonly<Record<number, number>> = {
  ...{ 2: 1, 3: 1, 4: 1, 12: 1, 13: 1, 16: 1, 17: 2 },
  ...{ 32: 1, 33: 1, 34: 1, 35: 1, 36: 1, 37: 1, 38: 1, 63: 1, 64: 1, 65: 1, 66: 1 },
  ...{ 208: 1, 210: 1 },
};
/** The same for those behind 0xfc: conversions, then bulk memory and tables. */
const BULK_NUMBERS = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];
const MEMORY = { first: 0x28, last: 0x3e };
const PLAIN = { first: 0x45, last: 0xc4 };
const PLAIN_CONTROL = [0x00, 0x01, 0x05, 0x0b, 0x0f, 0x1a, 0x1b];

/** Moves past what follows `opcode`. Throws for an instruction that it does not know, so that none is ever misread. */
export function skipImmediates(bytes: WasmBytes, opcode: number): void {
  if ((opcode >= PLAIN.first && opcode <= PLAIN.last) || PLAIN_CONTROL.includes(opcode)) return;
  if (opcode >= MEMORY.first && opcode <= MEMORY.last) return skipNumbers(bytes, 2);
  if (opcode === 0x0e) return skipNumbers(bytes, bytes.unsigned() + 1);
  if (opcode === 0x1c) return skipNumbers(bytes, bytes.unsigned());
  if (opcode === 0x43) return void bytes.take(4);
  if (opcode === 0x44) return void bytes.take(8);
  const numbers = opcode === 0xfc ? BULK_NUMBERS[bytes.unsigned()] : NUMBERS[opcode];
  if (numbers === undefined) throw new Error(`0x${opcode.toString(16)} at ${bytes.at} is no instruction known here`);
  skipNumbers(bytes, numbers);
}

function skipNumbers(bytes: WasmBytes, count: number): void {
  for (let left = count; left > 0; left--) bytes.skipNumber();
}
