import { expect, test } from "vitest";
import { VERSION } from "../../src/version.ts";
import { runLine, ScriptedTerminal } from "./scripted-terminal.ts";

test.each([["version"], ["--version"]])("%s names Troupe, the runtime and the platform", async (word) => {
  const terminal = new ScriptedTerminal();
  expect(await runLine([word], terminal)).toBe(0);
  expect(terminal.out).toBe(`troupe ${VERSION} (Node.js 26.0.0, linux)\n`);
});

test("and so as JSON", async () => {
  const terminal = new ScriptedTerminal();
  await runLine(["version", "--json"], terminal);
  expect(JSON.parse(terminal.out)).toEqual({
    version: VERSION,
    runtime: "Node.js",
    runtime_version: "26.0.0",
    platform: "linux",
  });
});
