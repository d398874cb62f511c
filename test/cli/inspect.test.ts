import { afterAll, beforeAll, expect, test } from "vitest";
import { messageLine } from "../../src/cli/inspect.ts";
import { runLine } from "./scripted-terminal.ts";
import { serveScripted, type ServedRig } from "./served.ts";

let served: ServedRig;
beforeAll(async () => {
  served = await serveScripted();
});
afterAll(() => served.close());

const about = { sessionId: "task_1", rootId: "task_1", createdAt: "1", id: "1", _version: "0.7.2" };

test("a message is a line", () => {
  const snapshot = { status: "active", value: { running: "generating" }, context: {} };
  expect(messageLine({ type: "@xstate.actor", ...about, name: "agent", snapshot })).toBe(
    'task_1  agent {"running":"generating"}',
  );
  expect(messageLine({ type: "@xstate.event", ...about, event: { type: "admitted" } })).toBe(
    "task_1  <- admitted",
  );
  const over = { status: "done", context: {} };
  expect(messageLine({ type: "@xstate.snapshot", ...about, event: { type: "x" }, snapshot: over })).toBe(
    "task_1  done",
  );
});

test("names of others cannot move the cursor", () => {
  const event = { type: "\u001B[2Jx\nb\u202E" };
  const line = messageLine({ type: "@xstate.event", ...about, event });
  for (const character of ["\u001B", "\n", "\u202E"]) expect(line).not.toContain(character);
});

test("shows what a task does, until Ctrl-C", async () => {
  const terminal = served.terminal();
  const watching = runLine(["inspect"], terminal);
  const { taskId } = await served.api.delegate({ goal: "hang" });
  // It may be at work before it is looked at.
  await terminal.until(({ out }) => new RegExp(`${taskId}  (agent )?{"running":"generating"}`).test(out));
  terminal.pressCtrlC();
  expect(await watching).toBe(130);
  await served.api.cancel(taskId, { force: true });
  expect(terminal.out).not.toContain("working");
});

test("--json gives a message a line", async () => {
  const { taskId } = await served.api.delegate({ goal: "hang" });
  await served.api.check(taskId);
  const terminal = served.terminal();
  const watching = runLine(["inspect", "--json"], terminal);
  await terminal.until(({ out }) => out.includes("@xstate.actor"));
  terminal.pressCtrlC();
  expect(await watching).toBe(130);
  const [first] = terminal.lines.map((text) => JSON.parse(text) as Record<string, unknown>);
  expect(first).toMatchObject({ type: "@xstate.actor" });
  await served.api.cancel(taskId, { force: true });
});

test("--stately prints the address of a page of this machine, and ends with Ctrl-C", async () => {
  const terminal = served.terminal();
  const showing = runLine(["inspect", "--stately"], terminal);
  await terminal.until(({ out }) => /^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\n$/.test(out));
  const response = await fetch(terminal.out.trim());
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
  terminal.pressCtrlC();
  expect(await showing).toBe(0);
  expect(terminal.err).toContain("stately.ai");
});
