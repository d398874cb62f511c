import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ChatOutput } from "../../src/cli/chat-output.ts";
import { CHAT_COMMANDS, commandOf, takeLine, type ChatContext } from "../../src/cli/chat-commands.ts";
import { plainConversation } from "../../src/cli/conversation.ts";
import { Printer } from "../../src/cli/printer.ts";
import { ScriptedTerminal } from "./scripted-terminal.ts";
import { serveScripted, type ServedRig } from "./served.ts";

let served: ServedRig;
beforeAll(async () => {
  served = await serveScripted();
});
afterAll(() => served.close());

async function opened() {
  const { taskId: sessionId } = await served.api.createSession();
  const terminal = new ScriptedTerminal();
  const screen = plainConversation({ input: terminal.input(), writeOut: (text) => terminal.writeOut(text) });
  const output = new ChatOutput(screen, new Printer(terminal, false));
  const stops: number[] = [];
  const context: ChatContext = {
    api: served.api,
    sessionId,
    output,
    now: () => 0,
    overlay: null,
    askedBy: () => null,
    onStop: () => stops.push(1),
  };
  return { context, terminal, stops, sessionId, take: (line: string) => takeLine(line, context) };
}

test.each([
  ["/steer id a b", { name: "/steer", rest: "id a b" }],
  ["/tasks", { name: "/tasks", rest: "" }],
  ["//not a command", null],
  ["no /command", null],
])("%s is read as %j", (line, command) => expect(commandOf(line)).toEqual(command));

describe("messages", () => {
  test("are sent as they are, a doubled slash as one, and nothing for an empty line", async () => {
    const { take, sessionId } = await opened();
    for (const line of ["hello", "//etc is a folder", "   "]) expect(await take(line)).toBe("go on");
    const { steers } = await served.api.check(sessionId);
    expect(steers).toHaveLength(2);
  });
});

describe("commands", () => {
  test("/tasks and /tree show what there is", async () => {
    const { take, terminal, sessionId } = await opened();
    await take("/tasks");
    expect(terminal.err).toBe("No tasks yet.\n");
    await served.api.delegate({ goal: "hang around", parentId: sessionId });
    await take("/tasks");
    await take("/tree");
    expect(terminal.out).toMatch(/ID +STATE[\s\S]+hang around[\s\S]+└─ task_\w+ {2}.*hang around/);
  });

  test("/agents and /tasks open what takes the whole screen, where there is one", async () => {
    const { context, terminal } = await opened();
    let opens = 0;
    const overlay = async (): Promise<void> => void (opens += 1);
    for (const line of ["/agents", "/tasks"]) await takeLine(line, { ...context, overlay });
    expect([opens, terminal.err, terminal.out]).toEqual([2, "", ""]);
  });

  test("/steer and /cancel take a short id", async () => {
    const { take, terminal, sessionId } = await opened();
    const { taskId } = await served.api.delegate({ goal: "hang", parentId: sessionId });
    await take(`/steer ${taskId.slice(0, 20)} go left`);
    expect(terminal.err).toMatch(/steer_\w+ (queued|delivered)/);
    await take(`/cancel ${taskId}`);
    expect((await served.api.collect(taskId)).state).toBe("cancelled");
    await take(`/cancel ${taskId}`);
    expect(terminal.err).toContain("It had ended already (cancelled).");
  });

  test("/stop cancels the children and tells the view", async () => {
    const { take, terminal, stops, sessionId } = await opened();
    const { taskId } = await served.api.delegate({ goal: "hang", parentId: sessionId });
    await take("/stop");
    expect([stops, terminal.err]).toEqual([[1], "Stopped; 1 task cancelled.\n"]);
    expect((await served.api.collect(taskId)).state).toBe("cancelled");
  });

  test("/quit and /leave say what comes next, /help lists every command", async () => {
    const { take, terminal } = await opened();
    expect([await take("/quit"), await take("/leave"), await take("/help")]).toEqual([
      "quit",
      "leave",
      "go on",
    ]);
    for (const [usage] of CHAT_COMMANDS) expect(terminal.out).toContain(usage);
  });

  test.each([
    ["/steer", /Expected \/steer ID message/],
    ["/steer task_1", /Expected \/steer ID message/],
    ["/answer task_1", /Expected \/answer ID text/],
    ["/cancel", /Expected \/cancel ID/],
    ["/cancel a b", /Expected \/cancel ID/],
    ["/tres", /no command \/tres\. Did you mean \/tree\?/],
    ["/xxxxxxxxx", /There are: \/agents \/tree/],
    ["/cancel ffff", /There is no task ffff/],
  ])("%s is refused with what to type", async (line, message) => {
    const { take } = await opened();
    await expect(take(line)).rejects.toThrow(message);
  });
});
