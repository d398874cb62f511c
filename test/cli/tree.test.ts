import { afterAll, beforeAll, expect, test } from "vitest";
import { runLine } from "./scripted-terminal.ts";
import { serveScripted, type ServedRig } from "./served.ts";

let served: ServedRig;
beforeAll(async () => {
  served = await serveScripted();
});
afterAll(() => served.close());

test("shows nothing at first, then parents with their children, whole or below one task", async () => {
  const empty = served.terminal();
  expect(await runLine(["tree"], empty)).toBe(0);
  expect([empty.out, empty.err]).toEqual(["", "No tasks.\n"]);
  const session = await served.api.createSession();
  const children = [];
  for (const goal of ["one", "two"])
    children.push(await served.api.delegate({ goal, parentId: session.taskId }));
  for (const { taskId } of children) await served.api.collect(taskId);
  const terminal = served.terminal();
  expect(await runLine(["tree", session.taskId], terminal)).toBe(0);
  expect(terminal.out).toMatch(
    /^ses_\w{8} {2}running \S+ {2}session .*\n├─ task_\w{8} {2}done {2}one .*\n└─ task_\w{8} {2}done {2}two/,
  );
  const json = served.terminal();
  await runLine(["tree", "--json"], json);
  expect(JSON.parse(json.out)).toMatchObject({
    items: [{ kind: "session", children: [{ goal: "one" }, { goal: "two" }] }],
  });
});

test("--watch shows it again when something happens, and Ctrl-C leaves with 130", async () => {
  const terminal = served.terminal();
  const watching = runLine(["tree", "--watch", "--json"], terminal);
  await terminal.until(({ lines }) => lines.length === 1);
  const { taskId } = await served.api.delegate({ goal: "seen" });
  await terminal.until(({ out }) => out.includes(taskId));
  terminal.pressCtrlC();
  expect(await watching).toBe(130);
});

test("--watch on a screen draws in place and cuts what would wrap", async () => {
  await served.api.delegate({ goal: "g".repeat(200) });
  const terminal = served.terminal({ isScreen: true });
  const watching = runLine(["tree", "--watch"], terminal);
  await terminal.until(({ out }) => out.includes("Ctrl-C leaves."));
  terminal.pressCtrlC();
  await watching;
  // eslint-disable-next-line no-control-regex
  const rows = terminal.out.replace(/\u001b\[[0-9]*[HJm]/g, "").split("\n");
  expect(Math.max(...rows.map((row) => row.length))).toBeLessThanOrEqual(80);
});

test("a server that is gone ends the watch with 7", async () => {
  const gone = await serveScripted();
  const terminal = gone.terminal();
  await gone.close();
  expect(await runLine(["tree", "--watch"], terminal)).toBe(7);
});
