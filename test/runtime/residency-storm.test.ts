// Whatever a server and other programs do to our models, in any order: every task ends, nothing is held afterwards, and
// no model is asked to go while one of ours uses it.

import fc from "fast-check";
import { expect, test } from "vitest";
import { box, type Box } from "./residency-box.ts";
import { NOTHING_HELD } from "./rig.ts";

const DEEDS = {
  "another program loads its model": ({ server }: Box) => server.foreignLoad("x"),
  "another program loads ours with another context": ({ server }: Box) => server.foreignLoad("a", 9_000),
  "everything is put out": ({ server }: Box) => server.loaded.clear(),
  "it is started again": ({ server }: Box) => server.restart(),
  "it goes down": ({ server }: Box) => void (server.isDown = true),
  "it goes silent": ({ server }: Box) => void (server.isSilent = true),
  "its loads hang": ({ server }: Box) => void (server.isWedged = true),
  "its next load fails": ({ server }: Box) =>
    void (server.refusal = { status: 500, error: "llama runner process has terminated: out of memory" }),
  "a model is deleted": ({ server }: Box) => server.remove("a"),
  "it is pulled again": ({ server }: Box) => server.install("a"),
  "somebody delegates": async ({ rig }: Box) => {
    await rig.api.delegateBatch([{ goal: "dig" }, { goal: "dig", agent: "other" }]);
  },
} as const;
type Deed = keyof typeof DEEDS;

const steps = fc.array(
  fc.record({
    deed: fc.constantFrom(...(Object.keys(DEEDS) as Deed[])),
    waitMs: fc.constantFrom(0, 300, 2_500, 40_000, 200_000),
  }),
  { minLength: 1, maxLength: 12 },
);

test("G5 G6 G7 every task ends, whatever the server does", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (story) => {
      const all = box({ answerMs: 2_000 });
      await all.rig.api.delegateBatch([{ goal: "dig" }, { goal: "dig", agent: "other" }, { goal: "dig" }]);
      for (const { deed, waitMs } of story) {
        await DEEDS[deed](all);
        await all.clock.advance(waitMs);
      }
      all.server.isSilent = false;
      all.server.install("a");
      all.server.restart();
      // An answer that never came ends by the provider's own deadline, of ten minutes.
      await all.clock.advance(4 * 3_600_000);
      const { items } = await all.rig.api.list({ limit: 100 });
      const open = items.filter(({ state }) => state !== "done" && state !== "failed");
      expect(open.map(({ state, phase, waitsFor }) => [state, phase, waitsFor])).toEqual([]);
      expect(all.rig.runtime.counts()).toMatchObject(NOTHING_HELD);
      expect(all.server.hasty).toBe(0);
      await all.rig.runtime.close();
    }),
    { numRuns: 12 },
  );
});
