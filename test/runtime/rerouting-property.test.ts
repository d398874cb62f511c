// Random routes, outages, policies and restarts: whatever fails when, three things hold of every task.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Reply } from "../../providers/scripted.ts";
import { fail, finish, say, wait } from "../../providers/script.ts";
import type { EventData } from "../../src/core/event.ts";
import { MAX_REROUTES } from "../../src/core/limits.ts";
import { FALLBACKS } from "../../src/core/routing.ts";
import { goalIn } from "./conversation.ts";
import { RestartingBox } from "./restarting.ts";
import { agentNamed, NOTHING_HELD } from "./rig.ts";
import { nameAt, options, PLACES } from "./routed-box.ts";

const outage = fc.constantFrom("well", "well", "auth", "quota", "network", "context_length", "empty");
const world = fc.record({
  route: fc.uniqueArray(fc.constantFrom(...PLACES), { minLength: 1, maxLength: PLACES.length }),
  fallback: fc.constantFrom(...FALLBACKS),
  escalate: fc.boolean(),
  /** How each place answers, before and after the restart. */
  health: fc.array(fc.tuple(outage, outage), { minLength: PLACES.length, maxLength: PLACES.length }),
  tasks: fc.integer({ min: 1, max: 3 }),
  restartAtMs: fc.option(fc.constantFrom(0, 50, 1_500, 9_000)),
});

function answer(how: string): Reply {
  if (how === "empty") return [finish("length")];
  if (how === "well") return [wait(100), say("gold")];
  return [wait(20), fail(how as "auth" | "quota" | "network" | "context_length")];
}

test(
  "no task goes to one place twice, to a cloud without permission, or anywhere in silence",
  { timeout: 60_000 },
  async () => {
    const seen = { rerouted: 0, done: 0, failed: 0 };
    await fc.assert(
      fc.asyncProperty(world, async ({ route, fallback, escalate, health, tasks, restartAtMs }) => {
        const asked: { readonly goal: string; readonly place: string }[] = [];
        let era: 0 | 1 = 0;
        const made = options({ route, models: {}, fallback });
        const agents = [agentNamed("routed", { route: route.map(nameAt), escalate })];
        const box = new RestartingBox({
          ...made,
          reply: (request) => {
            const place = request.model.slice("m-".length);
            asked.push({ goal: goalIn(request), place });
            return answer(health[PLACES.indexOf(place as (typeof PLACES)[number])]?.[era] ?? "well");
          },
          settings: { ...made.settings, agents },
        });
        const goals = Array.from({ length: tasks }, (_, at) => `dig ${at}`);
        const ids = new Map<string, string>();
        for (const goal of goals) ids.set(goal, (await box.api.delegate({ goal, agent: "routed" })).taskId);
        if (restartAtMs !== null) {
          await box.clock.advance(restartAtMs);
          await box.restart();
        }
        era = 1;
        await box.clock.advance(600_000);
        for (const [goal, taskId] of ids) {
          const { spec, end } = await box.record(taskId);
          const events = await box.store.events({ after: 0, taskId, types: ["task.rerouted"] });
          const moves = events.map(({ data }) => data as EventData["task.rerouted"]);
          const began = `${spec.model.provider}/${spec.model.model}`;
          const way = [began, ...moves.map(({ to }) => to)];
          // The same target never twice, and not for ever.
          expect(new Set(way).size).toBe(way.length);
          expect(moves.length).toBeLessThanOrEqual(MAX_REROUTES);
          // Never silent: who was asked was named before, and each move begins where the last one ended.
          expect(moves.map(({ from }) => from)).toEqual(way.slice(0, -1));
          const places = new Set(asked.filter((each) => each.goal === goal).map(({ place }) => place));
          const named = new Set(way.map((name) => name.split("/")[0]));
          expect([...places].filter((place) => !named.has(place))).toEqual([]);
          // Never to a cloud without permission.
          const mayGo = route[0] === "cloud" || fallback === "local_to_cloud" || fallback === "both";
          expect(places.has("cloud") && !mayGo).toBe(false);
          expect(end).not.toBeNull();
          expect(end?.reroutes?.length ?? 0).toBe(moves.length);
          seen.rerouted += moves.length;
          seen[end?.state === "done" ? "done" : "failed"] += 1;
        }
        expect(box.rig.runtime.counts()).toEqual(NOTHING_HELD);
        await box.rig.runtime.close();
      }),
      { numRuns: 150 },
    );
    // The worlds must reach what they are there to test.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(30);
  },
);
