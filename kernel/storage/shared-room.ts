import { err, type KernelError } from "../errors.ts";
import { LIMITS } from "../limits.ts";
import type { Stored } from "../process/spec.ts";
import type { Growth, Room } from "./room.ts";

type SharedStored = Pick<Stored, "files" | "fileBytes">;

/** How much a tenant shares at most: it belongs to no process, so no quota of a process bounds it. */
export class SharedRoom implements Room {
  readonly #stored: () => SharedStored;

  constructor(stored: () => SharedStored) {
    this.#stored = stored;
  }

  begin(): Growth {
    return { take: (change) => this.#refusal(change), done: () => {} };
  }

  freeFileBytes(): number {
    return LIMITS.sharedFileBytes - this.#stored().fileBytes;
  }

  #refusal({ files = 0, fileBytes = 0 }: Partial<Stored>): KernelError | null {
    const now = this.#stored();
    if (files > 0 && now.files + files > LIMITS.sharedFiles) return full("files", LIMITS.sharedFiles);
    if (fileBytes > 0 && now.fileBytes + fileBytes > LIMITS.sharedFileBytes)
      return full("bytes", LIMITS.sharedFileBytes);
    return null;
  }
}

function full(what: string, limit: number): KernelError {
  const message = `A tenant shares at most ${limit} ${what}: delete shared files, or write less.`;
  return err("quota_exceeded", message).error;
}
