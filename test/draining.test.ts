import { expect, test } from "vitest";
import { drainingError, withoutNewTasks } from "../src/draining.ts";
import { problemResponse } from "../src/http/problem.ts";
import { say } from "../providers/script.ts";
import { realRig } from "./runtime/rig.ts";

test("new tasks and conversations are refused, and everything else goes on", async () => {
  const rig = realRig({ reply: () => [say("done")] });
  const { taskId } = await rig.api.delegate({ goal: "one" });
  const session = await rig.api.createSession();
  const api = withoutNewTasks(rig.api);
  for (const refused of [
    api.delegate({ goal: "two" }),
    api.delegateBatch([{ goal: "two" }]),
    api.createSession(),
  ]) {
    await expect(refused).rejects.toMatchObject({ kind: "store", code: "draining" });
  }
  expect((await api.list()).items).toHaveLength(2);
  expect(await api.collect(taskId)).toMatchObject({ state: "done", result: "done" });
  expect(await api.sendMessage(session.taskId, { text: "hello" })).toMatchObject({ reason: null });
  await api.closeSession(session.taskId);
  expect((await api.status()).tasks).toMatchObject({ done: 2 });
  await rig.runtime.close();
});

test("over HTTP it is 503 with the time after which to come again", async () => {
  const response = problemResponse(drainingError(), "req");
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await response.json()).toMatchObject({
    code: "draining",
    type: "urn:troupe:problem:store:draining",
  });
});
