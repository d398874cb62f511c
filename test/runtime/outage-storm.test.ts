// Random outages over a box whose models are loaded at our command: whatever the moments at which its server dies and
// comes back, every task ends well, no try is counted, nothing is left held, and the server is not asked without end.

import { expect, test } from "vitest";
import { seededRandom } from "../../src/base/ids.ts";
import { box } from "./residency-box.ts";
import { NOTHING_HELD } from "./rig.ts";

const TASKS = 30;
/** A generation under which the server dies more often than five times would count as its cause. */
const OUTAGES = 4;
const LONGEST_MS = 300_000;

test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])("seed %i: every task ends well", async (seed) => {
  const random = seededRandom(seed);
  const upTo = (most: number): number => Math.floor(random.next() * most);
  const all = box({ answerMs: 500 + upTo(5_000), loadMs: 200 + upTo(3_000) });
  const agents = Array.from({ length: TASKS }, () => (random.next() < 0.5 ? "other" : undefined));
  const handles = await all.rig.api.delegateBatch(
    agents.map((agent, at) => ({ goal: `dig ${at}`, ...(agent !== undefined && { agent }) })),
  );
  let awayMs = 0;
  for (let nth = 0; nth < OUTAGES; nth++) {
    await all.clock.advance(upTo(40_000));
    all.server.crash();
    const lengthMs = 1 + upTo(LONGEST_MS);
    const before = [...all.server.asked.values()].reduce((sum, each) => sum + each, 0);
    await all.clock.advance(lengthMs);
    const asked = [...all.server.asked.values()].reduce((sum, each) => sum + each, 0) - before;
    // A question and two looks every 15 s, and what was under way when it died.
    expect(asked).toBeLessThanOrEqual(30 + lengthMs / 5_000);
    awayMs += lengthMs;
    all.server.restart();
  }
  expect(awayMs).toBeGreaterThan(0);
  await all.clock.advance(1_800_000);
  const ends = await Promise.all(handles.map(({ taskId }) => all.ended(taskId)));
  expect(ends).toEqual(handles.map(() => ({ state: "done", code: undefined })));
  const events = await all.rig.store.events({ after: 0, types: ["generation.retried"] });
  const others = events.filter(({ data }) => (data as { code: string }).code !== "server_away");
  const counted = events.filter(({ data }) => (data as { attempt: number }).attempt > 1);
  expect([counted, others]).toEqual([[], []]);
  expect(all.rig.runtime.counts()).toMatchObject(NOTHING_HELD);
});
