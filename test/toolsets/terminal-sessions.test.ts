import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/ids.ts";
import type { RunningProcess } from "../../src/base/process.ts";
import type { Sandbox } from "../../src/core/sandbox.ts";
import { TerminalSessions } from "../../src/toolsets/terminal-sessions.ts";
import { makeGround, sandboxHere, type Ground } from "../sandbox/machine.ts";
import { toolContext } from "./tool-context.ts";

let ground: Ground;
beforeEach(() => {
  ground = makeGround();
});
afterEach(() => ground.remove());

/** A sandbox that opens when the test says so; what it opened. */
function gated() {
  const real = sandboxHere({ unsafe: true });
  const opened: RunningProcess[] = [];
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => (open = resolve));
  const sandbox: Sandbox = {
    verdict: () => real.verdict(),
    open: async (request) => {
      await gate;
      const process = await real.open(request);
      opened.push(process);
      return process;
    },
  };
  const sessions = new TerminalSessions({ sandbox, random: systemRandom, maxOutputBytes: 1024 });
  return { sessions, opened, open: () => open() };
}

it("V1 opens one session for two calls that come at once, and tells one that it is new", async () => {
  const { sessions, opened, open } = gated();
  const context = { ...toolContext(ground.workspace), clock: systemClock };
  const both = Promise.all([sessions.for(context), sessions.for(context)]);
  open();
  const [first, second] = await both;
  expect(first.session).toBe(second.session);
  expect(first.isNew).not.toBe(second.isNew);
  expect(opened).toHaveLength(1);
  await sessions.close();
  await opened[0]?.exited;
});

it("V2 leaves nothing behind of a task that was released while its session was being opened", async () => {
  const { sessions, opened, open } = gated();
  const abort = new AbortController();
  const context = { ...toolContext(ground.workspace, abort.signal), clock: systemClock };
  const asked = sessions.for(context);
  abort.abort(new Error("cancelled"));
  const released = sessions.release("task_1");
  open();
  await expect(asked).rejects.toThrow("cancelled");
  await released;
  await Promise.all(opened.map((each) => each.exited));
  expect(await sessions.find("task_1")).toBeNull();
});

it("forgets an attempt that failed: the next call tries again", async () => {
  let tries = 0;
  const refusing: Sandbox = {
    verdict: async () => ({ stands: false, reason: "no" }),
    open: () => Promise.reject(new Error(`refused ${(tries += 1)}`)),
  };
  const sessions = new TerminalSessions({ sandbox: refusing, random: systemRandom, maxOutputBytes: 1024 });
  const context = { ...toolContext(ground.workspace), clock: systemClock };
  await expect(sessions.for(context)).rejects.toThrow("refused 1");
  await expect(sessions.for(context)).rejects.toThrow("refused 2");
  await sessions.release("task_1");
});
