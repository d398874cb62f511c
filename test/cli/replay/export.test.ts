import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseRecording } from "../../../src/cli/replay/recording.ts";
import { newHome } from "../home.ts";
import { runLine, ScriptedTerminal } from "../scripted-terminal.ts";
import { serveScripted, type ServedRig } from "../served.ts";

let served: ServedRig;
let cwd: string;
beforeAll(async () => {
  served = await serveScripted();
  cwd = (await newHome()).cwd;
});
afterAll(() => served.close());

async function family() {
  const { taskId: session } = await served.api.createSession();
  const { taskId: child } = await served.api.delegate({ goal: "look", parentId: session });
  await served.api.collect(child);
  return { session, child };
}

test("E1 a tree goes into a new file for its owner alone, and never over one that is there", async () => {
  const { session, child } = await family();
  const terminal = new ScriptedTerminal({ env: served.env, cwd });
  expect(await runLine(["export", "--tree", session.slice(0, 12), "-o", "a.json"], terminal)).toBe(0);
  expect(terminal.err).toMatch(
    /2 tasks, \d+ events and \d+ messages in .*a\.json\n.*replay a\.json shows it again/,
  );
  const path = join(cwd, "a.json");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const recording = parseRecording(await readFile(path, "utf8"));
  expect(recording.tasks.map(({ taskId }) => taskId)).toEqual([session, child]);
  expect(recording.events.filter(({ type }) => type === "task.done").map(({ taskId }) => taskId)).toContain(
    child,
  );
  expect(recording.transcripts.some(({ taskId }) => taskId === child)).toBe(true);
  const again = new ScriptedTerminal({ env: served.env, cwd });
  expect(await runLine(["export", child, "-o", "a.json"], again)).toBe(3);
  expect(again.err).toContain("a file of that name is there already");
});

test("without a file it goes to stdout, one task alone", async () => {
  const { child } = await family();
  const terminal = served.terminal();
  expect(await runLine(["export", child], terminal)).toBe(0);
  expect(parseRecording(terminal.out).tasks.map(({ taskId }) => taskId)).toEqual([child]);
});

test.each([[[]], [["task_1", "--tree", "task_2"]]])("export %j is used wrongly", async (words) => {
  expect(await runLine(["export", ...words], served.terminal())).toBe(2);
});
