import { expect, test } from "vitest";
import { worldOf } from "../../src/cli/world.ts";
import { ScriptedTerminal } from "./scripted-terminal.ts";

test("the log goes to stderr, printable, and the environment is the terminal's", () => {
  const terminal = new ScriptedTerminal({ env: { A: "1" }, cwd: "/somewhere" });
  const { signal } = new AbortController();
  const world = worldOf(terminal, signal);
  world.writeLog("warn: a model said \u001b[2Jthis");
  expect([terminal.out, terminal.err]).toEqual(["", "warn: a model said this\n"]);
  expect([world.env, world.cwd, world.signal]).toEqual([{ A: "1" }, "/somewhere", signal]);
});
