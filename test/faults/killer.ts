import { setTimeout as sleep } from "node:timers/promises";
import { type Point, type PointBus, SPILLS } from "./points.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { Victim } from "./victim.ts";

/** Kills the kernel at one point, in one way, and brings it back. */

export const WAYS = ["parent", "workerd", "both", "stopped"] as const;
/** `stopped` = workerd stands still for a while (SIGSTOP); then it goes on, or is killed. */
export type Way = (typeof WAYS)[number];

export interface Plan {
  point: Point;
  way: Way;
  /** After the point. */
  offsetMs: number;
  /** How long it stands still, if it does, and whether it goes on afterwards. */
  stillMs: number;
  goesOn: boolean;
}

export interface Kill extends Plan {
  /** 1, 2, 3, ... */
  number: number;
  /** False = the point did not come in time, and it was killed all the same. */
  reached: boolean;
  /** Milliseconds since the epoch: when it was dead, and when it answered again. */
  deadAt: number;
  readyAt: number;
  /** Why it did not come back. */
  problem?: string;
}

/** Whether it was only stopped for a while. */
export function goesOn({ way, goesOn }: Plan): boolean {
  return way === "stopped" && goesOn;
}

const POINT_MS = 2_500;
const SPILL_MS = 6_000;
const RETURN_MS = 60_000;
const START_MS = 1_200;
const STDERR_CHARS = 1_000;

/** Points that need a large page table are rare; each is tried as often as the others. */
export function plan(random: SeededRandom, points: readonly Point[]): Plan {
  const point = random.pick(points);
  return {
    point,
    way: random.pick(point === "starting" ? (["parent", "both"] as const) : WAYS),
    offsetMs: point === "random" ? random.int(0, 1_500) : random.chance(0.5) ? 0 : random.int(1, 20),
    stillMs: random.int(100, 2_000),
    goesOn: random.chance(0.3),
  };
}

/** `provoke` is called when the wait for the point has begun, `atDeath` before the first signal. */
export async function kill(
  number: number,
  plan: Plan,
  victim: Victim,
  bus: PointBus,
  random: SeededRandom,
  hooks: { provoke: () => void; atDeath: () => void },
): Promise<Kill> {
  const named = plan.point !== "random" && plan.point !== "starting";
  const coming = bus.next(plan.point, named ? (SPILLS.includes(plan.point) ? SPILL_MS : POINT_MS) : 0);
  hooks.provoke();
  const reached = (await coming) || !named;
  if (plan.offsetMs > 0) await sleep(plan.offsetMs);
  hooks.atDeath();
  const struck = await strike(plan, victim);
  const deadAt = Date.now();
  const problem = struck ? await comeBack(plan, victim, random) : "there was no workerd to signal";
  return { ...plan, number, reached, deadAt, readyAt: Date.now(), ...(problem === null ? {} : { problem }) };
}

/** False when the plan has workerd signalled and there is none: then nothing was tested. */
async function strike({ way, stillMs, goesOn }: Plan, victim: Victim): Promise<boolean> {
  let found = true;
  if (way === "stopped") {
    found = victim.signalWorkerd("SIGSTOP");
    await sleep(stillMs);
    victim.signalWorkerd(goesOn ? "SIGCONT" : "SIGKILL");
  }
  if (way === "workerd" || way === "both") found = victim.signalWorkerd("SIGKILL");
  if (way === "parent" || way === "both") await victim.killParent();
  return found || way === "both";
}

/** Null, or why it did not. */
async function comeBack(plan: Plan, victim: Victim, random: SeededRandom): Promise<string | null> {
  try {
    if (plan.way === "workerd" || plan.way === "stopped") {
      // Its parent sees the end a moment later; an answer before that would be the old one's.
      if (!plan.goesOn || plan.way === "workerd") await sleep(30);
      if (await victim.answers(RETURN_MS)) return null;
      const said = victim.stderr.slice(-STDERR_CHARS);
      await victim.killParent();
      await victim.start();
      return `workerd did not come back by itself; on stderr: ${said}`;
    }
    if (plan.point === "starting") {
      victim.launch();
      await sleep(random.int(20, START_MS));
      await strike(plan, victim);
    }
    await victim.start();
    return null;
  } catch (error) {
    await victim.killParent();
    await victim.start();
    return (error as Error).message;
  }
}
