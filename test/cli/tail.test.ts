import { afterAll, beforeAll, expect, test } from "vitest";
import { runLine } from "./scripted-terminal.ts";
import { serveScripted, type ServedRig } from "./served.ts";

let served: ServedRig;
beforeAll(async () => {
  served = await serveScripted();
});
afterAll(() => served.close());

test("prints the last lines of a task that has ended", async () => {
  const { taskId } = await served.api.delegate({ goal: "write" });
  await served.api.collect(taskId);
  const terminal = served.terminal();
  expect(await runLine(["tasks", "tail", taskId, "--follow"], terminal)).toBe(0);
  expect([terminal.out, terminal.err]).toEqual(["result of write\n", "done\n"]);
});

test("--follow shows what is written and what happens, until the end", async () => {
  const { taskId } = await served.api.delegate({ goal: "hang" });
  const terminal = served.terminal();
  const following = runLine(["tasks", "tail", taskId, "-f"], terminal);
  await terminal.until(({ out }) => out.includes("working\n"));
  await served.api.steer(taskId, { message: "louder" });
  await terminal.until(({ err }) => /\d\d:\d\d:\d\d steer steer_\w+ queued/.test(err));
  await served.api.cancel(taskId, { reason: "enough" });
  expect(await following).toBe(0);
  expect(terminal.err).toMatch(/cancelled: enough/);
});

test("--follow --json gives a document first and then a frame a line", async () => {
  const { taskId } = await served.api.delegate({ goal: "hang" });
  const terminal = served.terminal();
  const following = runLine(["tasks", "tail", taskId, "-f", "--json"], terminal);
  await terminal.until(({ out }) => out.includes('"state"'));
  await served.api.cancel(taskId);
  expect(await following).toBe(0);
  const [first, ...frames] = terminal.lines.map((text) => JSON.parse(text) as Record<string, unknown>);
  expect(first).toMatchObject({ task_id: taskId });
  expect(frames.at(-1)).toMatchObject({ kind: "event", event: { state: "cancelled" } });
  expect(terminal.err).toBe("");
});

test("Ctrl-C leaves with 130 and lets the task go on", async () => {
  const { taskId } = await served.api.delegate({ goal: "hang" });
  const terminal = served.terminal();
  const following = runLine(["tasks", "tail", taskId, "-f"], terminal);
  await terminal.until(({ out }) => out.includes("working\n"));
  terminal.pressCtrlC();
  expect(await following).toBe(130);
  expect((await served.api.check(taskId)).state).toBe("running");
  await served.api.cancel(taskId, { force: true });
});
