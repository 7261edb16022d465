import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Api } from "./api.ts";
import { requestsIn } from "./checks/evidence.ts";
import { billOf, checkLive } from "./checks/live.ts";
import { DiskWatch } from "./disk-watch.ts";
import { examine } from "./examination.ts";
import { goesOn, type Kill, kill, plan } from "./killer.ts";
import { Load, type LoadSize } from "./load.ts";
import { Person } from "./person.ts";
import { POINTS, type Point, PointBus } from "./points.ts";
import { type Outcome, RESUME_GOAL_MS } from "./report.ts";
import { SeededRandom } from "./seeded-random.ts";
import { Servers } from "./servers.ts";
import { StateFiles } from "./state-files.ts";
import { Victim } from "./victim.ts";
import { Findings } from "./violation.ts";

/**
 * One run: a kernel under load, killed again and again, then left in peace until it rests, then examined. One seed gives the
 * same plan of kills and the same load; what coincides is the machine's, so a failure is replayed by its evidence, which is
 * kept, rather than by its seed.
 */

export interface CampaignOptions {
  kills: number;
  seed: number;
  /** No new kill after this. */
  timeMs: number;
  size: LoadSize;
  /** The package whose build is killed; absent = this one. */
  root?: string;
  progress?: (line: string) => void;
}

const REST_MS = 300_000;
/** When the core and D1 were not written to for so long, D1 shows what the core knows. */
const STILL_MS = 3_000;
const STILL_WAIT_MS = 60_000;
const LAG_MS = 1_500;
/** Every so many kills, the load waits, so long at most, and nobody but the kernel wakes an agent: there resuming is measured. */
const QUIET_EVERY = 6;
const QUIET_MS = 6_000;
const BETWEEN_MS = 700;
const POINT_NAMES = Object.keys(POINTS) as Point[];

export async function runCampaign(options: CampaignOptions): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "aos-faults-"));
  const servers = await Servers.start(folder);
  const victim = await Victim.on(join(folder, "state"), servers.environment, options.root);
  const campaign = new Campaign(options, servers, victim);
  const outcome = await campaign.run().finally(async () => {
    campaign.close();
    await victim.killParent();
    await servers.stop();
    writeFileSync(join(folder, "stderr.log"), victim.stderr);
    writeFileSync(join(folder, "kills.json"), JSON.stringify(campaign.kills, null, 1));
  });
  const wrong = outcome.findings.violations.length > 0 || outcome.resumes.some(({ ms }) => ms > RESUME_GOAL_MS);
  if (!wrong) rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  return { ...outcome, kept: wrong ? folder : null };
}

class Campaign {
  readonly #options: CampaignOptions;
  readonly #servers: Servers;
  readonly #victim: Victim;
  readonly #bus = new PointBus();
  readonly #disk = new DiskWatch(this.#bus);
  readonly #random: SeededRandom;
  readonly #findings = new Findings();
  readonly kills: Kill[] = [];
  readonly #quiet: Kill[] = [];
  readonly #began = Date.now();
  /** Ends the person. */
  readonly #over = new AbortController();
  #load: Load | null = null;

  constructor(options: CampaignOptions, servers: Servers, victim: Victim) {
    this.#options = options;
    this.#servers = servers;
    this.#victim = victim;
    this.#random = new SeededRandom(options.seed);
  }

  async run(): Promise<Omit<Outcome, "kept">> {
    await this.#victim.start();
    const api = new Api(this.#victim.url, this.#victim.adminKey);
    const load = new Load(api, this.#bus, this.#random.fork(), this.#servers.outside);
    this.#load = load;
    const person = new Person(api, this.#random.fork(), (path) => this.#servers.happened(path));
    void person.run(this.#over.signal);
    this.#disk.journal(this.#servers.modelJournal);
    for (const path of this.#servers.toolJournals) this.#disk.tools(path);
    this.#disk.state(this.#victim.state);
    await load.start(this.#options.size);
    await this.#fire(load, this.#began + this.#options.timeMs);
    const restMs = await this.#rest(api, load);
    this.#say("at rest");
    await checkLive(api, load, this.#findings);
    this.#say("looked at from outside");
    const bill = await billOf(api);
    for (const end = Date.now() + STILL_WAIT_MS; Date.now() < end && this.#disk.stillMs < STILL_MS; ) await sleep(100);
    this.close();
    await this.#victim.stop();
    const times = { ms: Date.now() - this.#began, restMs };
    const { seed } = this.#options;
    const campaign = { seed, kills: this.kills, quiet: this.#quiet, stderr: this.#victim.stderr, ...times };
    const requests = await requestsIn(this.#servers.modelJournal);
    const acts = this.#servers.acts();
    const state = new StateFiles(this.#victim.state);
    try {
      const evidence = {
        findings: this.#findings,
        load,
        state,
        requests,
        acts,
        person,
        bill,
        surprises: api.surprises,
      };
      return examine(evidence, campaign);
    } finally {
      state.close();
    }
  }

  close(): void {
    this.#over.abort();
    this.#load?.close();
    this.#disk.close();
  }

  #say(what: string): void {
    this.#options.progress?.(`${Math.round((Date.now() - this.#began) / 1_000)} s: ${what}`);
  }

  async #fire(load: Load, end: number): Promise<void> {
    const random = this.#random.fork();
    const killed = () => this.kills.filter((one) => !goesOn(one)).length;
    while (killed() < this.#options.kills && Date.now() < end) {
      const quiet = this.kills.length % QUIET_EVERY === QUIET_EVERY - 1;
      const planned = plan(random, POINT_NAMES);
      const done = await this.#killOnce(load, planned, quiet, random);
      this.#findings.expect(
        "the kernel comes back",
        done.problem === undefined,
        () => `kill ${done.number} (${done.way}, ${done.point}): ${done.problem}`,
      );
      if (this.kills.length % 10 === 0) this.#say(`${killed()} kills`);
    }
  }

  async #killOnce(load: Load, planned: ReturnType<typeof plan>, quiet: boolean, random: SeededRandom): Promise<Kill> {
    const number = this.kills.length + 1;
    let marks: ReturnType<Load["marks"]> = new Map();
    const done = await kill(number, planned, this.#victim, this.#bus, random, {
      provoke: () => load.provoke(planned.point),
      atDeath: () => {
        load.pause(quiet);
        marks = load.marks();
      },
    });
    this.kills.push(done);
    if (quiet) await this.#quietly(load, done, marks);
    else await sleep(random.int(0, BETWEEN_MS));
    return done;
  }

  /** Until every agent that had work has gone on by itself, or long enough to say that one did not. */
  async #quietly(load: Load, done: Kill, marks: ReturnType<Load["marks"]>): Promise<void> {
    this.#quiet.push(done);
    const end = Date.now() + QUIET_MS;
    while (Date.now() < end && [...marks].some(([watcher, seen]) => watcher.seen.size === seen)) await sleep(20);
    load.pause(false);
  }

  /** Waits until every acknowledged message has ended; how long that took. */
  async #rest(api: Api, load: Load): Promise<number> {
    const began = Date.now();
    await load.finish();
    for (const end = began + REST_MS; Date.now() < end; await sleep(200)) {
      if (load.marks().size > 0 || !(await isAtRest(api))) continue;
      // The process table lags behind the agents: look again when they have had the time to take their mail.
      await sleep(LAG_MS);
      if (await isAtRest(api)) return Date.now() - began;
    }
    const open = [...load.marks()].map(([{ agentId, seen }]) => `${agentId} was last seen at ${seen.size}`);
    this.#findings.expect("the kernel comes to rest", false, () => open.join(", "));
    return Date.now() - began;
  }
}

/** Whether every process has ended or is a daemon with nothing to do, as the process table has it. */
async function isAtRest(api: Api): Promise<boolean> {
  for (const state of ["new", "ready", "running", "waiting", "stopped"]) {
    const { body } = await api.once(`/v1/agents?limit=200&state=${state}`);
    const { items } = (body ?? {}) as { items?: { waitReason: string | null }[] };
    if (items === undefined || items.some(({ waitReason }) => waitReason !== "message")) return false;
  }
  return true;
}
