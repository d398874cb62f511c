import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serve } from "../../src/base/listen.ts";
import { call, say } from "../../providers/script.ts";
import { askToolset } from "../../src/toolsets/ask.ts";
import { runLine } from "./scripted-terminal.ts";
import { serveScripted, type ServedRig } from "./served.ts";

let served: ServedRig;
beforeAll(async () => {
  served = await serveScripted();
});
afterAll(() => served.close());

/** Runs one line; what it printed. */
async function line(...args: string[]) {
  const terminal = served.terminal();
  const code = await runLine(args, terminal);
  return { code, out: terminal.out, err: terminal.err };
}

async function finished(goal: string): Promise<string> {
  const { taskId } = await served.api.delegate({ goal });
  await served.api.collect(taskId);
  return taskId;
}

describe("tasks ls", () => {
  test("shows a row for each task, the newest last, and the same as JSON", async () => {
    const taskId = await finished("say\u001b[2J hello");
    const people = await line("tasks", "ls");
    expect(people.code).toBe(0);
    const last = people.out.trimEnd().split("\n").at(-1);
    expect(last).toMatch(
      new RegExp(
        `^${taskId.slice(0, 13)}  done +child +child +\\d+s +\\d+ tokens, \\d+ ms of GPU +say hello$`,
      ),
    );
    const json = await line("tasks", "ls", "--json", "--limit", "1");
    expect(json.err).toBe("");
    expect(JSON.parse(json.out)).toMatchObject({ items: [{ task_id: taskId, state: "done" }], more: false });
  });

  test("takes a state and a parent, and says what it left out", async () => {
    await finished("one more");
    expect((await line("tasks", "ls", "--state", "failed")).err).toBe("No tasks.\n");
    expect((await line("tasks", "ls", "--limit", "1")).err).toMatch(/\d+ older ones are left out/);
    const session = await served.api.createSession();
    const child = await served.api.delegate({ goal: "x", parentId: session.taskId });
    const { out } = await line("tasks", "ls", "--parent", session.taskId, "--json");
    expect(JSON.parse(out).items).toMatchObject([{ task_id: child.taskId }]);
  });

  test("refuses a state that is none", async () => {
    const { code, err } = await line("tasks", "ls", "--state", "runing");
    expect([code, err]).toEqual([2, expect.stringMatching(/no state "runing"\. Did you mean running\?/)]);
  });
});

test.each(['{"items":[]}', '{"items":[],"next_cursor":"more"}'])(
  "tasks ls asks a foreign server that answers %s once",
  async (body) => {
    let calls = 0;
    const foreign = await serve(
      () => {
        calls += 1;
        return new Response(body, { headers: { "content-type": "application/json" } });
      },
      { hostname: "127.0.0.1", port: 0 },
    );
    try {
      expect((await line("tasks", "ls", "--url", foreign.url)).err).toBe("No tasks.\n");
      expect(calls).toBe(1);
    } finally {
      await foreign.close();
    }
  },
);

describe("tasks get", () => {
  test("shows everything of a task, for people and as JSON", async () => {
    const taskId = await finished("look");
    const { out } = await line("tasks", "get", taskId.slice(0, 13));
    expect(out).toContain(taskId);
    expect(out).toMatch(/state +done/);
    expect(out).toMatch(/output +result of look/);
    expect(JSON.parse((await line("tasks", "get", taskId, "--json")).out)).toMatchObject({ goal: "look" });
  });

  test("exit code 4 for one that is not there", async () => {
    const { code, err } = await line("tasks", "get", `task_${"0".repeat(32)}`);
    expect([code, err]).toEqual([4, expect.stringContaining("There is no task")]);
  });
});

describe("tasks steer", () => {
  test("gives the receipt, and exit code 5 after the end", async () => {
    const { taskId } = await served.api.delegate({ goal: "hang" });
    const steered = await line("tasks", "steer", taskId, "go left", "--interrupt", "--json");
    expect(JSON.parse(steered.out)).toMatchObject({ task_id: taskId, interrupt: true });
    await served.api.cancel(taskId);
    await served.api.collect(taskId);
    const late = await line("tasks", "steer", taskId, "go right", "--json");
    expect(late.code).toBe(5);
    expect(late.out).toBe("");
    expect(JSON.parse(late.err)).toMatchObject({ error: { kind: "conflict", code: "task_ended" } });
  });
});

describe("tasks collect", () => {
  test("0 and the result alone on stdout; 1 for a failed one; 8 when the wait was over first", async () => {
    const done = await line("tasks", "collect", await finished("a"));
    expect(done).toEqual({ code: 0, out: "result of a\n", err: "" });
    const failed = await line("tasks", "collect", await finished("fail"));
    expect([failed.code, failed.err]).toEqual([1, expect.stringMatching(/failed \(empty_answer\)/)]);
    const { taskId } = await served.api.delegate({ goal: "hang" });
    const early = await line("tasks", "collect", taskId, "--wait-s", "0");
    expect([early.code, early.err]).toEqual([8, expect.stringContaining("Not finished")]);
    await served.api.cancel(taskId, { force: true });
  });
});

describe("tasks cancel", () => {
  test("names what it cancelled, says so when there was nothing, and takes --force and --reason", async () => {
    const { taskId } = await served.api.delegate({ goal: "hang" });
    const first = await line("tasks", "cancel", taskId, "--force", "--reason", "enough");
    expect([first.code, first.out]).toEqual([0, `${taskId}\n`]);
    const result = await served.api.collect(taskId);
    expect(result.state).toBe("cancelled");
    const second = await line("tasks", "cancel", taskId);
    expect([second.code, second.err]).toEqual([0, expect.stringContaining("had ended already (cancelled)")]);
    expect(JSON.parse((await line("tasks", "cancel", taskId, "--json")).out)).toEqual({
      task_id: taskId,
      cancelled: [],
      state: "cancelled",
    });
  });
});

test("tasks answer shows what it answers, and the task goes on with it", async () => {
  const asking = await serveScripted(
    {},
    ({ messages }) => {
      const isAnswered = messages.some(({ role }) => role === "tool");
      return isAnswered ? [say("as you said")] : [call("ask_parent", { question: "Which port?\nOr none?" })];
    },
    { toolsets: [askToolset(600_000)] },
  );
  try {
    const { taskId } = await asking.api.delegate({ goal: "dig", toolsets: ["ask"] });
    for await (const frame of asking.api.events({ after: 0, taskId }))
      if (frame.kind === "event" && frame.event.type === "tool.suspended") break;
    const terminal = asking.terminal();
    expect(await runLine(["tasks", "answer", taskId, "8080"], terminal)).toBe(0);
    expect(terminal.err).toContain("? Which port?\n? Or none?\n");
    expect(terminal.out).toMatch(/^msg_\w+ /);
    expect((await asking.api.collect(taskId)).result).toBe("as you said");
    const [answer] = (await asking.store.inbox(taskId, 0)).map(({ message }) => message);
    expect(answer).toMatchObject({ kind: "answer", text: "8080", questionId: "call_1_1" });
  } finally {
    await asking.close();
  }
});
