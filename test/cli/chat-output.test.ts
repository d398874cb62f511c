import { expect, test } from "vitest";
import { ChatOutput } from "../../src/cli/chat-output.ts";
import type { Conversation } from "../../src/cli/conversation.ts";
import { Printer } from "../../src/cli/printer.ts";
import { ScriptedTerminal } from "./scripted-terminal.ts";

function outputs(interactive: boolean, json: boolean) {
  const shown: string[] = [];
  const screen: Conversation = {
    interactive,
    lines: (async function* () {})(),
    show: (line) => void shown.push(line),
    live: (text) => void shown.push(`live ${text}`),
    suspend: () => null,
    close: () => {},
  };
  const terminal = new ScriptedTerminal({ env: { NO_COLOR: "1" } });
  const output = new ChatOutput(screen, new Printer(terminal, json));
  output.say("answer");
  output.row("r".repeat(100));
  output.notice("notice");
  output.live("writ\u001b[2Jing");
  output.document({ kind: "answer" });
  return { shown, out: terminal.out, err: terminal.err };
}

test("on a screen everything goes above the prompt, rows cut to it, and no JSON", () => {
  const { shown, out, err } = outputs(true, false);
  expect(shown).toEqual(["answer", "r".repeat(80), "notice", "live writing"]);
  expect(out + err).toBe("");
});

test("through a pipe answers go to stdout and notices to stderr", () => {
  const { out, err } = outputs(false, false);
  expect([out, err]).toEqual([`answer\n${"r".repeat(100)}\n`, "notice\n"]);
});

test.each([true, false])("with --json stdout holds documents alone (on a screen: %s)", (interactive) => {
  const { shown, out, err } = outputs(interactive, true);
  expect([shown, out, err]).toEqual([[], '{"kind":"answer"}\n', ""]);
});
