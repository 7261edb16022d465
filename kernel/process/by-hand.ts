import type { Fault, Page, PageEntry, PagePatch } from "../context/page.ts";
import type { Result } from "../errors.ts";
import { LABELS, type LabelInput, labelled } from "../security/label.ts";
import type { FileEntry } from "../storage/driver.ts";
import type { AgentParts } from "./parts.ts";

/** What operators do to a process's pages and files: the act, and its entry in the chain. `actor` is `key:<id>`. */
export class ByHand {
  readonly #parts: AgentParts;

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  async touchPage(pageId: string, actor: string): Promise<Result<{ page: Page; fault: Fault }>> {
    const touched = await this.#parts.context.touch(pageId);
    if (touched.ok) this.#note("page.touch", actor, { pageId, fault: touched.value.fault });
    return touched;
  }

  patchPage(pageId: string, patch: PagePatch, actor: string): Result<PageEntry> {
    return this.#parts.tx.run(() => {
      const patched = this.#parts.context.patch(pageId, patch);
      if (patched.ok) this.#note("page.patch", actor, { pageId, ...patch });
      return patched;
    });
  }

  forgetPage(pageId: string, actor: string): Result<null> {
    return this.#parts.tx.run(() => {
      const forgotten = this.#parts.context.forget(pageId);
      if (forgotten.ok) this.#note("page.forget", actor, { pageId });
      return forgotten;
    });
  }

  async writeFile(
    path: string,
    bytes: Uint8Array,
    options: { ifVersion?: number | undefined } & LabelInput,
    actor: string,
  ): Promise<Result<FileEntry>> {
    const label = labelled(options, LABELS.document);
    this.#parts.fileLabels.raise(path, label);
    const written = await this.#parts.files.put(path, bytes, { ifVersion: options.ifVersion, label });
    if (written.ok) this.#note("file.write", actor, { ...written.value });
    return written;
  }

  async rollbackFile(path: string, version: number, actor: string): Promise<Result<FileEntry>> {
    const written = await this.#parts.files.rollback(path, version);
    if (written.ok) this.#note("file.rollback", actor, { ...written.value, from: version });
    return written;
  }

  async deleteFile(path: string, actor: string): Promise<Result<null>> {
    const deleted = await this.#parts.files.delete(path);
    if (deleted.ok) this.#note("file.delete", actor, { path });
    return deleted;
  }

  /** The process tells its core soon how much it stores now. */
  #note(kind: string, actor: string, data: Record<string, unknown>): void {
    const { tx, log, alarm, clock } = this.#parts;
    tx.run(() => {
      log.append(kind, actor, data);
      alarm.set(clock.now());
    });
  }
}
