import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/base/errors.ts";
import { Printer, stateSpan, wantsColor } from "../../src/cli/printer.ts";
import { ScriptedTerminal } from "./scripted-terminal.ts";

const RED = "\u001b[31mfailed\u001b[0m";
const HOSTILE = "\u001b]0;owned\u0007x\u001b[2J";

describe("O2 styles", () => {
  test("are shown on a screen", () => {
    const terminal = new ScriptedTerminal({ isScreen: true });
    new Printer(terminal, false).data([stateSpan("failed")]);
    expect(terminal.out).toBe(`${RED}\n`);
  });

  test.each([
    ["a pipe", { isScreen: false }],
    ["NO_COLOR", { isScreen: true, env: { NO_COLOR: "1" } }],
    ["a dumb terminal", { isScreen: true, env: { TERM: "dumb" } }],
  ])("are left out for %s", (_, options) => {
    const terminal = new ScriptedTerminal(options);
    new Printer(terminal, false).data([stateSpan("failed")]);
    expect(terminal.out).toBe("failed\n");
  });

  test("an empty NO_COLOR counts as not set", () => expect(wantsColor({ NO_COLOR: "" })).toBe(true));
});

describe("O1 what was written by others", () => {
  test("reaches no terminal with a control sequence, whichever way it goes", () => {
    const terminal = new ScriptedTerminal({ isScreen: true, env: { NO_COLOR: "1" } });
    const printer = new Printer(terminal, false);
    printer.data(HOSTILE);
    printer.row([HOSTILE, ["red", HOSTILE]]);
    printer.note([["bold", HOSTILE]]);
    printer.failure(new ConfigError("code", HOSTILE), HOSTILE);
    expect(terminal.out + terminal.err).toBe("x\nxx\nx\nerror: x\nx\n");
  });

  test("is escaped in JSON", () => {
    const terminal = new ScriptedTerminal();
    new Printer(terminal, true).document({ text: `${HOSTILE}\u009b` });
    expect(terminal.out).not.toMatch(new RegExp(String.raw`[\u0000-\u0009\u000b-\u001f\u007f-\u009f]`));
    expect(JSON.parse(terminal.out)).toEqual({ text: `${HOSTILE}\u009b` });
  });
});

describe("streams", () => {
  test("people get data on stdout and the rest on stderr, and no JSON", () => {
    const terminal = new ScriptedTerminal();
    const printer = new Printer(terminal, false);
    printer.data("data");
    printer.note("note");
    printer.document({ a: 1 });
    expect([terminal.out, terminal.err]).toEqual(["data\n", "note\n"]);
  });

  test("with --json stdout holds documents in the wire's words only, and stderr warnings and errors", () => {
    const terminal = new ScriptedTerminal();
    const printer = new Printer(terminal, true);
    printer.data("data");
    printer.note("note");
    printer.document({ taskId: "t" });
    printer.warn("careful");
    printer.failure(new ConfigError("bad", "mend it", { details: { config_key: "x" } }), "advice");
    expect(terminal.out).toBe('{"task_id":"t"}\n');
    const [warning, failure] = terminal.err.split("\n");
    expect(warning).toBe("careful");
    expect(JSON.parse(failure ?? "")).toEqual({
      error: { kind: "config", code: "bad", message: "mend it", details: { config_key: "x" } },
    });
  });

  test("a row is cut to the screen and whole in a pipe", () => {
    const long = ["a".repeat(70), ["dim", "b".repeat(70)]] as const;
    const [screen, pipe] = [true, false].map((isScreen) => {
      const terminal = new ScriptedTerminal({ isScreen, env: { NO_COLOR: "1" } });
      new Printer(terminal, false).row(long);
      return terminal.out;
    });
    expect(screen).toBe(`${"a".repeat(70)}${"b".repeat(10)}\n`);
    expect(pipe).toHaveLength(141);
  });
});
