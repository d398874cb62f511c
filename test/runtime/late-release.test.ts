import { expect, test } from "vitest";
import { say } from "../../providers/script.ts";
import { markReleased, unreleased } from "../../src/runtime/late-release.ts";
import { RestartingBox } from "./restarting.ts";
import { desk } from "./specimens.ts";

test("a restart marks released, once, what the server before had ended by force", async () => {
  const box = new RestartingBox({ reply: () => [say("gold")] });
  const { taskId } = await box.api.delegate({ goal: "dig" });
  await box.crash();
  const { epoch, seq } = await box.record(taskId);
  const end = { state: "cancelled", result: null, truncated: false, failure: null } as const;
  await box.store.commit({ taskId, epoch }, seq, { terminal: end });
  await box.start();
  const released = await box.record(taskId);
  expect(released.releasedAt).not.toBeNull();
  await box.restart();
  expect(await box.record(taskId)).toEqual(released);
  expect((await box.events(taskId)).at(-1)).toBe("task.released");
});

test("one that was marked already, or is gone, stops nobody", async () => {
  const it = await desk();
  const end = { state: "done", result: null, truncated: false, failure: null } as const;
  await it.store.commit(it.claim, it.claim.seq, { terminal: end });
  expect(await unreleased(it)).toEqual(["task_1"]);
  await markReleased(["nobody", "task_1", "task_1"], it);
  expect(await unreleased(it)).toEqual([]);
});
