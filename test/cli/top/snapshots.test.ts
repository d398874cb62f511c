import { afterAll, beforeAll, expect, test } from "vitest";
import { runLine } from "../scripted-terminal.ts";
import { serveScripted, type ServedRig } from "../served.ts";

let served: ServedRig;
beforeAll(async () => {
  served = await serveScripted();
});
afterAll(() => served.close());

const ESCAPE = "\u001b";

test("--once is one snapshot in plain text", async () => {
  const { taskId } = await served.api.delegate({ goal: `look ${ESCAPE}[2J` });
  await served.api.collect(taskId);
  const terminal = served.terminal({ env: { NO_COLOR: "" } });
  expect(await runLine(["top", "--once"], terminal)).toBe(0);
  expect(terminal.lines[0]).toMatch(/^\d{4}-.*Z live: 0 at work, 0 wait, 1 ended$/);
  expect(terminal.lines[1]).toMatch(/^gpu0 gpu .*0\/8$/);
  expect(terminal.lines.at(-2)).toMatch(new RegExp(`${taskId.slice(0, 13)} +done .*look ␛\\[2J`));
  expect(terminal.out).not.toContain(ESCAPE);
});

test("through a pipe it goes on, one after the other, until Ctrl-C; with --json as objects", async () => {
  const terminal = served.terminal();
  const running = runLine(["top", "--json"], terminal);
  await terminal.until(({ lines }) => lines.length === 1);
  const { taskId } = await served.api.delegate({ goal: "hang" });
  await terminal.until(({ out }) => out.includes(taskId));
  terminal.pressCtrlC();
  expect(await running).toBe(130);
  const last = JSON.parse(terminal.lines.at(-1) ?? "") as Record<string, unknown>;
  expect(last).toMatchObject({ live: true, status: { paused: false }, needs: [] });
  expect(last["nodes"]).toContainEqual(expect.objectContaining({ task_id: taskId, goal: "hang" }));
});
