import { existsSync, type FSWatcher, mkdirSync, watch } from "node:fs";
import { join } from "node:path";
import type { JournalEntry } from "../support/model-server/script.ts";
import type { WireRequest } from "../support/model-server/scripted-model.ts";
import type { ToolEntry } from "../support/tool-server/order.ts";
import { placeOf } from "./chain-model.ts";
import { FollowedFile } from "./followed-file.ts";
import type { Point, PointBus } from "./points.ts";

/** Tells points by what is written to disk: the journals of the model server and of the tool servers, and the files of the local state. */
export class DiskWatch {
  readonly #watchers: FSWatcher[] = [];
  readonly #bus: PointBus;
  readonly #files: FollowedFile[] = [];
  #writtenAt = Date.now();
  /** Requests of the batch lane, by number. */
  readonly #batch = new Set<number>();

  constructor(bus: PointBus) {
    this.#bus = bus;
  }

  /** The model server's journal. */
  journal(path: string): void {
    this.#files.push(new FollowedFile(path, (line) => this.#entry(JSON.parse(line) as JournalEntry)));
  }

  /** A tool server's journal. */
  tools(path: string): void {
    this.#files.push(
      new FollowedFile(path, (line) => {
        const { type } = JSON.parse(line) as ToolEntry;
        if (type === "request") this.#bus.reached("tool request");
        if (type === "act") this.#bus.reached("tool effect");
      }),
    );
  }

  /** Folders that the first start of a kernel makes. */
  state(state: string): void {
    this.#folder(join(state, "r2/agent-os-kernel-pages/blobs"), "r2 put", () => true);
    this.#folder(join(state, "d1/miniflare-D1DatabaseObject"), "d1 projection", isData);
    this.#folder(join(state, "do/agent-os-kernel-KernelCore"), "core write", isData);
  }

  /** For how long nothing was written to the core and to D1, in milliseconds. */
  get stillMs(): number {
    return Date.now() - this.#writtenAt;
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    for (const file of this.#files.splice(0)) file.close();
  }

  #folder(path: string, point: Point, counts: (file: string) => boolean): void {
    if (!existsSync(path)) mkdirSync(path, { recursive: true });
    this.#watchers.push(
      watch(path, (_event, file) => {
        if (file === null || !counts(file)) return;
        this.#writtenAt = Date.now();
        this.#bus.reached(point);
      }),
    );
  }

  #entry(entry: JournalEntry): void {
    this.#bus.reached(pointOf(entry));
    if (entry.type === "request" && isBatch(entry.body)) this.#batch.add(entry.request);
    if (!this.#batch.has(entry.request)) return;
    if (entry.type === "request") this.#bus.reached("claimed call");
    if (entry.type === "end") this.#bus.reached("call delivery");
  }
}

/** An object's own database, and not the platform's table of alarms. */
function isData(file: string): boolean {
  return file.endsWith("-wal") && !file.startsWith("metadata");
}

/** Chains are named after their agent, and agents after their lane. */
function isBatch(body: unknown): boolean {
  return placeOf((body as WireRequest).messages)?.chain.id.startsWith("batch-") ?? false;
}

function pointOf(entry: JournalEntry): Point {
  if (entry.type === "request") return "model call";
  return entry.type === "reply" ? "reply begins" : "reply sent";
}
