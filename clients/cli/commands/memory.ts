import { Command, Option } from "commander";
import { type PageEntry, TIERS, type Tier } from "../../../kernel/context/page.ts";
import { connect } from "../connection.ts";
import { Printer } from "../printer.ts";
import { oneLine, table } from "../table.ts";
import { readText } from "../text-file.ts";

/** `aos mem`: an agent's virtual memory. */
export function memoryCommands(): Command {
  const memory = new Command("mem").description("an agent's virtual memory");
  for (const command of [map(), search(), read(), pin("pin", true), pin("unpin", false), forget(), add()]) {
    memory.addCommand(command);
  }
  return memory;
}

const SNIPPET_COLUMNS = 100;

function map(): Command {
  return new Command("map")
    .description("the page table")
    .argument("<id>")
    .addOption(new Option("--tier <tier>", "only pages of this tier").choices(TIERS))
    .option("--limit <n>", "at most this many", "200")
    .option("--cursor <cursor>", "go on where a list ended")
    .action(async (id: string, options: { tier?: Tier; limit: string; cursor?: string }, command: Command) => {
      const { tier, limit, cursor } = options;
      const listing = await connect(command).pages.list(id, { limit: Number(limit), cursor, ...(tier && { tier }) });
      const printer = new Printer(command);
      printer.print(listing, () => pageTable(listing.items));
      if (listing.nextCursor) printer.note(`more: --cursor ${listing.nextCursor}`);
    });
}

function pageTable(pages: readonly PageEntry[]): string {
  const rows = pages.map((page) => [
    page.id,
    page.tier,
    page.kind,
    String(page.tokens),
    page.pinned ? "pinned" : "",
    page.source,
  ]);
  return table(["PAGE", "TIER", "KIND", "TOKENS", "", "SOURCE"], rows);
}

function search(): Command {
  return new Command("search")
    .description("search all tiers, in any language")
    .argument("<id>")
    .argument("<query>")
    .option("--limit <n>", "at most this many", "10")
    .action(async (id: string, query: string, options: { limit: string }, command: Command) => {
      const items = await connect(command).pages.search(id, query, { limit: Number(options.limit) });
      new Printer(command).print({ items }, () =>
        table(
          ["PAGE", "SCORE", "TIER", "SOURCE", "TEXT"],
          items.map((hit) => [
            hit.id,
            hit.score.toFixed(2),
            hit.tier,
            hit.source,
            oneLine(hit.snippet, SNIPPET_COLUMNS),
          ]),
        ),
      );
    });
}

function read(): Command {
  return new Command("read")
    .description("peek at a page, which changes nothing")
    .argument("<id>")
    .argument("<page>")
    .action(async (id: string, pageId: string, _options: object, command: Command) => {
      const page = await connect(command).pages.read(id, pageId);
      new Printer(command).print(page, () => page.content);
    });
}

function pin(name: string, pinned: boolean): Command {
  return new Command(name)
    .description(pinned ? "keep a page hot" : "let a page be evicted again")
    .argument("<id>")
    .argument("<page>")
    .action(async (id: string, pageId: string, _options: object, command: Command) => {
      new Printer(command).print(await connect(command).pages.update(id, pageId, { pinned }), () => "");
    });
}

function forget(): Command {
  return new Command("forget")
    .description("erase a page in every tier")
    .argument("<id>")
    .argument("<page>")
    .action(async (id: string, pageId: string, _options: object, command: Command) => {
      await connect(command).pages.forget(id, pageId);
    });
}

function add(): Command {
  return new Command("add")
    .description("put text files into an agent's memory")
    .argument("<id>")
    .argument("<file...>", "text files in UTF-8")
    .option("--pinned", "keep its pages hot")
    .action(async (id: string, files: string[], options: { pinned?: boolean }, command: Command) => {
      const client = connect(command);
      const printer = new Printer(command);
      for (const file of files) {
        const text = readText(file);
        const pages = await client.pages.addText(id, text, { source: file, ...(options.pinned && { pinned: true }) });
        printer.print({ pages }, () => `${file}: ${pages.length} pages`);
      }
    });
}
