import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../../../kernel/limits.ts";
import { EconomyRig, messageOf } from "../../../../support/economy-rig.ts";
import { onNewObject } from "../../../../support/on-object.ts";

/** Calls of agents through a vendor's Batch API, over every place where the pool that gathers them can die. */

function story(play: (rig: EconomyRig) => Promise<void>): () => Promise<void> {
  return () => onNewObject("economy-pool", (sql) => play(new EconomyRig(sql)));
}

/** What each agent was told, by its call. */
function replies(rig: EconomyRig): Record<string, string> {
  const said = [...rig.agents.outcomes].map(([id, outcome]) => [
    id,
    outcome.ok ? outcome.reply.content : outcome.error.code,
  ]);
  return Object.fromEntries(said) as Record<string, string>;
}

function echoes(count: number): Record<string, string> {
  const ids = Array.from({ length: count }, (_, i) => messageOf(i).callId);
  return Object.fromEntries(ids.map((id) => [id, `echo: question of ${id}`])) as Record<string, string>;
}

describe("economy calls", () => {
  test(
    "of some seconds go to the vendor as one batch, and each agent gets its own reply",
    story(async (rig) => {
      rig.ask(20);
      rig.clock.advance(LIMITS.economyGatherMs / 2);
      rig.ask(20, 20);
      await rig.untilOver();
      expect(rig.api.books().map(({ requests }) => requests)).toEqual([40]);
      expect(replies(rig)).toEqual(echoes(40));
      expect(rig.tables.size()).toBe(0);
      expect(rig.api.files).toBe(1);
    }),
  );

  test(
    "that are asked for twice are made once",
    story(async (rig) => {
      rig.ask(3);
      rig.ask(3);
      await rig.untilOver();
      rig.ask(3);
      await rig.untilOver();
      expect(rig.api.books().map(({ requests }) => requests)).toEqual([3]);
      expect(replies(rig)).toEqual(echoes(3));
    }),
  );

  test(
    "that nobody waits for any more are not made",
    story(async (rig) => {
      rig.ask(3);
      rig.agents.gone.add(messageOf(1).callId);
      await rig.untilOver();
      expect(rig.api.books().map(({ requests }) => requests)).toEqual([2]);
      expect(Object.keys(replies(rig))).toEqual([messageOf(0).callId, messageOf(2).callId]);
    }),
  );

  test(
    "are told to agents that do not answer for a while",
    story(async (rig) => {
      rig.ask(5);
      rig.agents.silent = 12;
      await rig.untilOver();
      expect(replies(rig)).toEqual(echoes(5));
    }),
  );

  test(
    "end unbilled when the vendor's window has passed",
    story(async (rig) => {
      rig.api.script({ expireAfter: 1 });
      rig.ask(2);
      await rig.untilOver();
      expect(Object.values(replies(rig))).toEqual([`echo: question of ${messageOf(0).callId}`, "deadline_exceeded"]);
    }),
  );

  test(
    "are given back where there is no Batch API",
    story(async (rig) => {
      rig.api.script({ absent: true });
      rig.ask(4);
      await rig.untilOver();
      expect(rig.agents.declined.size).toBe(4);
      expect(rig.agents.outcomes.size).toBe(0);
    }),
  );

  test(
    "that the vendor never ends are cancelled there when its window has passed",
    story(async (rig) => {
      rig.api.script({ hold: true });
      rig.ask(2);
      await rig.untilOver(1_000);
      expect(rig.api.books().map(({ status }) => status)).toEqual(["cancelled"]);
      expect(Object.values(replies(rig))).toEqual([`echo: question of ${messageOf(0).callId}`, "cancelled"]);
    }),
  );

  for (const when of ["before", "after"] as const) {
    test(`are made once each and told, when the pool dies ${when} any of its questions took effect`, async () => {
      for (let question = 0; question < 18; question++) {
        await story(async (rig) => {
          rig.api.script({ processMs: 5_000 });
          rig.ask(3);
          rig.death = { question, when };
          await rig.untilOver();
          expect(replies(rig)).toEqual(echoes(3));
          expect(rig.api.books().map(({ requests }) => requests)).toEqual([3]);
        })();
      }
    });
  }
});
