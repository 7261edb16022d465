/** Names of things that are there, as the kernel's replies tell them. The newest, because the fuzzer itself erases. */

const MOST = 40;
const IDS = /"(?:id|messageId|callId)":"([^"]+)"/g;

export class KnownNames {
  readonly #names = new Map<string, string[]>();

  /** `path` is that of the operation that answered. */
  learn(path: string, text: string): void {
    for (const [, id = ""] of text.matchAll(IDS)) {
      const kind = /^(msg|pg)_/.exec(id)?.[1] ?? collectionOf(path);
      const others = (this.#names.get(kind) ?? []).filter((one) => one !== id);
      this.#names.set(kind, [...others, id].slice(-MOST));
    }
  }

  /** One for a placeholder of `path`; a made-up one when none is known. */
  pick(path: string, placeholder: string, turn: number): string {
    const kind = KINDS[placeholder] ?? collectionOf(path);
    const names = this.#names.get(kind) ?? [];
    return names[turn % Math.max(names.length, 1)] ?? `${kind}_0`;
  }
}

const KINDS: Record<string, string> = { messageId: "msg", pageId: "pg", path: "file" };

/** `agents` of `/v1/agents/{id}/pages`. */
function collectionOf(path: string): string {
  return path.split("/")[2] ?? "";
}
