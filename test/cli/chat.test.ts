import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FakeScreen, KEYS } from "./top/fake-screen.ts";
import { runLine } from "./scripted-terminal.ts";
import { serveScripted, type ServedRig } from "./served.ts";

let served: ServedRig;
beforeAll(async () => {
  served = await serveScripted();
});
afterAll(() => served.close());

const sessionOf = (text: string): string => /ses_[0-9a-f]{32}/.exec(text)?.[0] ?? "";

describe("through a pipe", () => {
  test("answers go to stdout in order; it waits for children and what they bring, then closes", async () => {
    const terminal = served.terminal();
    terminal.type("hello\ndelegate look\n");
    terminal.endInput();
    expect(await runLine(["chat"], terminal)).toBe(0);
    expect(terminal.lines).toEqual(["you said hello", "started", "heard result of look"]);
    expect(terminal.err).toMatch(/\+ task_\w{8} look\n[\s\S]*= task_\w{8} done: look/);
    expect((await served.api.check(sessionOf(terminal.err))).state).toBe("done");
  });

  test("with --json every line is an object, and the answers are among them", async () => {
    const terminal = served.terminal();
    terminal.type("hello\n/nonsense\n");
    terminal.endInput();
    expect(await runLine(["chat", "--json"], terminal)).toBe(0);
    const objects = terminal.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(objects[0]).toMatchObject({ kind: "session", session_id: expect.stringMatching(/^ses_/) });
    expect(objects).toContainEqual({ kind: "answer", text: "you said hello" });
    expect(objects).toContainEqual(expect.objectContaining({ kind: "error", code: "usage" }));
    expect(terminal.err).toBe("");
  });
});

describe("while children hang", () => {
  test("H1 what is typed is answered, and /quit closes the session and its children", async () => {
    const terminal = served.terminal();
    const chatting = runLine(["chat"], terminal);
    terminal.type("delegate hang\n");
    await terminal.until(({ out }) => out.includes("started"));
    terminal.type("still there?\n");
    await terminal.until(({ out }) => out.includes("you said still there?"));
    terminal.type("/quit\n");
    expect(await chatting).toBe(0);
    expect(terminal.err).toMatch(/Closed; 1 task cancelled\./);
    const [node] = await served.api.tree(sessionOf(terminal.err));
    expect(node?.children.map(({ state }) => state)).toEqual(["cancelled"]);
  });

  test("H2 /leave lets everything go on, and --session comes back to it", async () => {
    const terminal = served.terminal();
    const chatting = runLine(["chat"], terminal);
    terminal.type("delegate hang\n");
    await terminal.until(({ out }) => out.includes("started"));
    terminal.type("/leave\n");
    expect(await chatting).toBe(0);
    const sessionId = sessionOf(terminal.err);
    expect(terminal.err).toContain(`The session goes on: troupe chat --session ${sessionId.slice(0, 12)}`);
    const again = served.terminal();
    const back = runLine(["chat", "--session", sessionId.slice(0, 12)], again);
    again.type("/tasks\nback\n");
    await again.until(({ out }) => out.includes("you said back"));
    expect(again.out).toMatch(/running .*hang/);
    again.type("/quit\n");
    expect(await back).toBe(0);
  });

  test("Ctrl-C closes the session and leaves with 130; twice leaves at once", async () => {
    const terminal = served.terminal();
    const chatting = runLine(["chat"], terminal);
    terminal.type("delegate hang\n");
    await terminal.until(({ out }) => out.includes("started"));
    terminal.pressCtrlC();
    terminal.pressCtrlC();
    expect(terminal.left).toEqual([130]);
    expect(await chatting).toBe(130);
    const [node] = await served.api.tree(sessionOf(terminal.err));
    expect(node?.children.map(({ state }) => state)).toEqual(["cancelled"]);
  });
});

test("a session that another client closes ends the chat", async () => {
  const terminal = served.terminal();
  const chatting = runLine(["chat"], terminal);
  await terminal.until(({ err }) => sessionOf(err) !== "");
  await served.api.closeSession(sessionOf(terminal.err));
  expect(await chatting).toBe(0);
});

test("an unknown session is exit code 4", async () => {
  const terminal = served.terminal();
  expect(await runLine(["chat", "--session", "ses_0"], terminal)).toBe(4);
});

test("/agents shows the session's tasks on the whole screen, the chat goes on, and q comes back to it", async () => {
  const streams = new FakeScreen(100, 30);
  const terminal = served.terminal({ isScreen: true, streams });
  const chatting = runLine(["chat"], terminal);
  await streams.until(({ text }) => text.includes(">"));
  streams.type("delegate hang about\r");
  await streams.until(({ text }) => text.includes("started"));
  const sessionId = sessionOf(streams.written);
  streams.type("/agents\r");
  await streams.until(({ text }) => /● live[\s\S]*└─task_\w{8} .*hang about/.test(text));
  await served.api.sendMessage(sessionId, { text: "from elsewhere" });
  streams.type("?");
  await streams.until(({ text }) => text.includes("Keys"));
  streams.type(KEYS.ctrlC);
  await streams.until(({ text }) => text.includes("you said from elsewhere"));
  streams.type("here again\r");
  await streams.until(({ text }) => text.includes("you said here again"));
  streams.type("/agents\r");
  await streams.until(({ text }) => text.includes("● live"));
  await served.api.closeSession(sessionId);
  expect(await chatting).toBe(0);
  expect(streams.input.isRaw).toBe(false);
});
