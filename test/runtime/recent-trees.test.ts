import { expect, test } from "vitest";
import { say } from "../../providers/script.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { RecentTrees } from "../../src/runtime/recent-trees.ts";
import { realRig, rig as simulatedRig } from "./rig.ts";

test("after a restart the tree shows the trees that were the last to end, in the order of their beginnings", async () => {
  const first = realRig({ reply: () => [say("done")] });
  const { taskId: one } = await first.api.delegate({ goal: "one" });
  await first.api.collect(one);
  const { taskId: two } = await first.api.delegate({ goal: "two" });
  await first.api.collect(two);
  const before = await first.api.tree();
  await first.runtime.close();
  const { store } = first;
  const second = realRig({ reply: () => [say("done")], from: { store, random: seededRandom(2) } });
  await second.runtime.recover();
  expect(await second.api.tree()).toEqual(before);
  const { taskId: three } = await second.api.delegate({ goal: "three" });
  await second.api.collect(three);
  expect((await second.api.tree()).map(({ taskId }) => taskId)).toEqual([one, two, three]);
  await second.runtime.close();
});

test("the log is read once, and read again when that failed", async () => {
  const { store } = simulatedRig({ reply: () => [say("done")] });
  let times = 0;
  const recent = new RecentTrees({
    events: (query) => store.events(query),
    bounds: () => {
      times += 1;
      return times === 1 ? Promise.reject(new Error("away")) : store.bounds();
    },
  });
  await expect(recent.roots()).rejects.toThrow("away");
  expect(await recent.roots()).toEqual([]);
  expect(await recent.roots()).toEqual([]);
  expect(times).toBe(2);
});
