import { describe, expect, test } from "vitest";
import { COMMANDS, COMMON_FLAGS, RAW_COMMANDS } from "../../src/cli/command-table.ts";

test("every command of the plan is there, once", () => {
  const names = [...RAW_COMMANDS, ...COMMANDS].map(({ name }) => name);
  expect(names.toSorted()).toEqual(
    [
      "audit ls",
      "audit verify",
      "backup",
      "chat",
      "db check",
      "delegate",
      "demo",
      "doctor",
      "export",
      "gpus",
      "init",
      "inspect",
      "machine",
      "keys",
      "keys disable",
      "keys enable",
      "replay",
      "serve",
      "tasks answer",
      "tasks cancel",
      "tasks collect",
      "tasks get",
      "tasks ls",
      "tasks steer",
      "tasks tail",
      "tokens",
      "tokens add",
      "tokens ls",
      "tokens revoke",
      "top",
      "tree",
      "version",
      "worktrees",
      "worktrees ls",
      "worktrees remove",
      "worktrees trust",
    ].toSorted(),
  );
});

describe.each(COMMANDS.map((command) => [command.name, command] as const))("%s", (_, command) => {
  test("loads, and its flags are distinct from each other and from those of all", async () => {
    expect(await command.load()).toBeTypeOf("function");
    const flags = [...command.flags, ...COMMON_FLAGS];
    expect(new Set(flags.map(({ name }) => name)).size).toBe(flags.length);
    const letters = flags.flatMap(({ short }) => short ?? []);
    expect(new Set(letters).size).toBe(letters.length);
  });

  test("shows in its usage what it takes", () => {
    const shown = command.usage?.match(/\[?(?:"[^"]+"|[A-Z]+)\]?/g) ?? [];
    expect(shown).toHaveLength(command.words.most);
    expect(shown.filter((word) => !word.startsWith("["))).toHaveLength(command.words.least);
  });
});
