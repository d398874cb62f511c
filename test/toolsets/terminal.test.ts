// The terminal's tools with a real shell. Walls are not what is tried here (test/security/terminal.test.ts does): the
// shell runs bare, in an empty folder, so that these cases run wherever bash is.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { settle, systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/ids.ts";
import type { ToolContext } from "../../src/core/tool.ts";
import { checkArguments } from "../../src/toolsets/arguments.ts";
import { TerminalSessions } from "../../src/toolsets/terminal-sessions.ts";
import { terminalToolset } from "../../src/toolsets/terminal.ts";
import { makeGround, sandboxHere, type Ground } from "../sandbox/machine.ts";
import { toolContext } from "./tool-context.ts";

interface Result {
  readonly exit_code: number | null;
  readonly output: string;
  readonly truncated: boolean;
  readonly cwd: string;
  readonly note?: string;
  readonly job_id: number;
  readonly state: string;
}

let ground: Ground;
let sessions: TerminalSessions;
let toolset: ReturnType<typeof terminalToolset>;
beforeEach(() => {
  ground = makeGround();
  const sandbox = sandboxHere({ unsafe: true });
  sessions = new TerminalSessions({ sandbox, random: systemRandom, maxOutputBytes: 4096 });
  toolset = terminalToolset({ sessions, timeoutMs: 60_000 });
});
afterEach(async () => {
  await sessions.close();
  ground.remove();
});

async function call(name: string, input: object, rest: Partial<ToolContext> = {}): Promise<Result> {
  const tool = toolset.tools("leaf").find(({ definition }) => definition.name === name);
  if (!tool) throw new Error(`no tool ${name}`);
  const context = { ...toolContext(ground.workspace), clock: systemClock, ...rest };
  const outcome = await tool.run(checkArguments(tool, input), context);
  if (outcome.type !== "result") throw new Error("expected a result");
  return outcome.value as Result;
}

/** What nobody has waited for yet has ended all the same. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

const run = (command: string, rest: Partial<ToolContext> = {}): Promise<Result> =>
  call("terminal", { command }, rest);

/** What a job writes until it has written `wanted`, or has ended. */
async function readUntil(job: number, wanted: RegExp): Promise<string> {
  let all = "";
  for (;;) {
    const { output, state } = await call("terminal_read", { job_id: job, wait_s: 60 });
    all += output;
    if (wanted.test(all) || (state === "exited" && output === "")) return all;
  }
}

it("tells the model what its commands can take, where that is known", () => {
  const described = (bounds?: string): string =>
    terminalToolset({ sessions, timeoutMs: 1, ...(bounds !== undefined && { bounds }) })
      .tools("leaf")
      .map(({ definition }) => definition.description)
      .join("\n");
  expect(described("256 processes")).toContain("Bounds: 256 processes.");
  expect(described()).not.toContain("Bounds");
});

describe("terminal", () => {
  it("says what came of a command, and where the shell is", async () => {
    expect(await run("echo out; echo err >&2; false")).toEqual({
      exit_code: 1,
      output: "out\nerr\n",
      truncated: false,
      cwd: ground.workspace,
      note: expect.stringMatching(/new shell session began/) as string,
    });
  });

  it("keeps folder, variables, functions and background jobs from call to call", async () => {
    await run("mkdir sub; cd sub; export A=1; B=2; f() { echo f$1; }; sleep 600 & pid=$!");
    const { output, cwd, note } = await run("echo $A$B; f 3; kill -0 $pid && echo alive; pwd");
    expect(output).toBe(`12\nf3\nalive\n${ground.workspace}/sub\n`);
    expect([cwd, note]).toEqual([`${ground.workspace}/sub`, undefined]);
  });

  it("runs what is written over several lines, with quotes, and nothing of it as an order of its own", async () => {
    const { output } = await run("cat <<'X'\nkill:1 $HOME `id` \"q\"\nX\nprintf '%s\\n' 'it'\"'\"'s'");
    expect(output).toBe('kill:1 $HOME `id` "q"\nit\'s\n');
  });

  it("gives a command no input, so that nothing waits for a person", async () => {
    expect(await run('read line; echo "[$line]"; cat')).toMatchObject({ exit_code: 0, output: "[]\n" });
  });

  it("lets programs open their own output by name", async () => {
    expect((await run("echo a >/dev/stderr; echo b >/dev/stdout")).output).toBe("a\nb\n");
  });

  it("tells a syntax error as any other failure, and goes on", async () => {
    const { exit_code: code, output } = await run("if");
    expect([code, output]).toEqual([2, expect.stringMatching(/syntax error/)]);
    expect((await run("echo on")).output).toBe("on\n");
  });

  it("begins another shell after exit, whose jobs go on", async () => {
    await run("sleep 600 & echo $! >pid; X=1");
    expect(await run("exit 4")).toMatchObject({
      exit_code: 4,
      note: expect.stringMatching(/shell ended/) as string,
    });
    expect((await run('kill -0 $(cat pid) && echo "alive[$X]"')).output).toBe("alive[]\n");
  });

  it("runs calls that come at once one after the other", async () => {
    const [first, second] = await Promise.all([run("echo 1; sleep 0.1; echo 2"), run("echo 3")]);
    expect([first.output, second.output]).toEqual(["1\n2\n", "3\n"]);
  });

  it("keeps beginning and end of much output, within what the model can take", async () => {
    const { output, truncated } = await run("seq 100000");
    expect(truncated).toBe(true);
    expect(output).toMatch(/^1\n2\n[^]*bytes left out[^]*\n99999\n100000\n$/);
    const small = await run("yes '\"\\' | head -c 4000", { maxResultChars: 1_000 });
    expect(JSON.stringify(small).length).toBeLessThanOrEqual(1_000);
    expect(small).toMatchObject({ truncated: true, exit_code: 0 });
  });

  it("ends the session with everything in it when a command takes too long, and says so", async () => {
    await run("sleep 600 & X=1");
    const late = await call("terminal", { command: "echo begun; sleep 600", timeout_s: 1 });
    expect(late).toMatchObject({ exit_code: null, output: "begun\n", cwd: null });
    expect(late.note).toMatch(/longer than 1 s \(tools\.terminal\.timeout_s\)/);
    expect(await run('echo "[$X]"; jobs')).toMatchObject({
      output: "[]\n",
      note: expect.stringMatching(/new shell session/) as string,
    });
  });

  it("ends the session when the call is called off, with the reason of the signal", async () => {
    const abort = new AbortController();
    const called = run("echo begun >begun; sleep 600", { signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(called).rejects.toThrow("enough");
    expect(await sessions.find("task_1")).toBeNull();
  });

  it("tells of a session that ended from inside", async () => {
    await expect(run("kill -9 $PPID; kill -9 0; sleep 60")).rejects.toMatchObject({ code: "session_ended" });
    expect((await run("echo on")).output).toBe("on\n");
  });

  it("refuses a NUL, and a command that is too long", async () => {
    await expect(run("echo \0")).rejects.toMatchObject({ code: "bad_command" });
    await expect(run("x".repeat(40_000))).rejects.toMatchObject({ code: "bad_arguments" });
  });

  it("may not be repeated by itself after a restart: a command acts", () => {
    expect(toolset.tools("leaf").map(({ repeatable }) => repeatable)).not.toContain(true);
  });
});

describe("terminal_start and what belongs to it", () => {
  it("talks with a command that goes on, in the shell's folder and with its variables", async () => {
    await run("mkdir d; cd d; export A=7");
    const { job_id: job, state } = await call("terminal_start", {
      command: 'echo $A; pwd; while read line; do echo "got $line"; done; echo over; exit 3',
    });
    expect([job, state]).toEqual([1, "running"]);
    expect(await readUntil(job, /d\n$/)).toBe(`7\n${ground.workspace}/d\n`);
    await call("terminal_write", { job_id: job, input: "one\ntwo\n" });
    expect(await readUntil(job, /two\n/)).toBe("got one\ngot two\n");
    expect((await run("echo meanwhile")).output).toBe("meanwhile\n");
    await call("terminal_write", { job_id: job, end_input: true });
    expect(await readUntil(job, /never/)).toBe("over\n");
    expect(await call("terminal_read", { job_id: job })).toMatchObject({
      state: "exited",
      exit_code: 3,
      output: "",
    });
    await expect(call("terminal_write", { job_id: job, input: "x" })).rejects.toMatchObject({
      code: "job_ended",
    });
  });

  it("kills a job with its group while a command runs, and shows what it wrote last", async () => {
    const { job_id: job } = await call("terminal_start", { command: "sleep 600 & echo $!; wait" });
    const inner = Number(await readUntil(job, /\n/));
    const busy = run("until [ -e freed ]; do sleep 0.01; done; echo free");
    expect(await call("terminal_kill", { job_id: job })).toMatchObject({
      state: "exited",
      exit_code: 137,
      output: "",
    });
    await expect.poll(() => isAlive(inner), { timeout: 30_000 }).toBe(false);
    writeFileSync(join(ground.workspace, "freed"), "");
    expect((await busy).output).toBe("free\n");
  });

  it("runs so many at once and no more, and takes a new one when one has ended", async () => {
    for (const expected of [1, 2, 3, 4]) {
      expect((await call("terminal_start", { command: "sleep 600" })).job_id).toBe(expected);
    }
    await expect(call("terminal_start", { command: "sleep 600" })).rejects.toMatchObject({
      code: "too_many_jobs",
    });
    await call("terminal_kill", { job_id: 2 });
    const { job_id: job } = await call("terminal_start", { command: "echo five" });
    expect([job, await readUntil(job, /never/)]).toEqual([5, "five\n"]);
  });

  it("begins a command whatever the shell was told of programs and of its own functions", async () => {
    await run("export PATH=/nowhere; printf() { :; }; __troupe_start() { :; }; __troupe_cat=/nowhere");
    const { job_id: job } = await call("terminal_start", { command: "echo begun" });
    expect(await readUntil(job, /never/)).toBe("begun\n");
  });

  it("waits for no beginning that does not come: by its time or by the signal the session ends", async () => {
    const stopShell = async (): Promise<void> => {
      const { output: shell } = await run("echo $$");
      const command = `read -r; kill -STOP ${shell.trim()}; echo stopped`;
      const { job_id: job } = await call("terminal_start", { command });
      await call("terminal_write", { job_id: job, input: "\n" });
      expect(await readUntil(job, /stopped/)).toBe("stopped\n");
    };
    await stopShell();
    const abort = new AbortController();
    const called = call("terminal_start", { command: "true" }, { signal: abort.signal });
    // By then the order is with the shell.
    await settle();
    abort.abort(new Error("enough"));
    await expect(called).rejects.toThrow("enough");
    await stopShell();
    toolset = terminalToolset({ sessions, timeoutMs: 1_000 });
    await expect(call("terminal_start", { command: "true" })).rejects.toMatchObject({ code: "not_started" });
    expect((await run("echo on")).output).toBe("on\n");
  });

  it("keeps no input for a job that does not read", async () => {
    await call("terminal_start", { command: "sleep 600" });
    const input = "x".repeat(32_000);
    const writeMuch = async (): Promise<void> => {
      for (let at = 0; at < 1_000; at += 1) await call("terminal_write", { job_id: 1, input });
    };
    await expect(writeMuch()).rejects.toMatchObject({ code: "input_waits" });
  });

  it("knows the jobs of this session alone", async () => {
    await expect(call("terminal_read", { job_id: 1 })).rejects.toThrow(
      /no shell session.*restart of the server/,
    );
    await run("true");
    await expect(call("terminal_read", { job_id: 1 })).rejects.toThrow(
      /no job 1 in this session. Jobs: none/,
    );
  });

  it("tells that a job is gone when its session was ended", async () => {
    await call("terminal_start", { command: "sleep 600" });
    await call("terminal", { command: "sleep 600", timeout_s: 1 });
    await expect(call("terminal_read", { job_id: 1 })).rejects.toMatchObject({ code: "no_such_job" });
  });
});

describe("the toolset", () => {
  it("gives each task a shell of its own, and lets go of it when the task ends", async () => {
    await run("X=mine");
    expect((await run('echo "[$X]"', { taskId: "task_2" })).output).toBe("[]\n");
    const session = await sessions.find("task_1");
    await toolset.release?.("task_1");
    expect([session?.isOver, await sessions.find("task_1")]).toEqual([true, null]);
    await toolset.release?.("task_1");
    await toolset.release?.("task_unknown");
    expect((await run("echo still", { taskId: "task_2" })).output).toBe("still\n");
  });

  it("refuses every call where no process can be started", async () => {
    toolset = terminalToolset(null);
    await expect(run("true")).rejects.toMatchObject({ code: "sandbox_unavailable" });
    await toolset.release?.("task_1");
  });
});
