import { expect, test } from "vitest";
import { COMMANDS, COMMON_FLAGS, RAW_COMMANDS } from "../../src/cli/command-table.ts";
import { commandHelp, generalHelp, groupHelp } from "../../src/cli/help.ts";
import { EXIT_CODES } from "../../src/cli/main.ts";
import { SUPPORT } from "../../src/cli/support.ts";

test("the general help names every command, exit code, variable and platform", () => {
  const text = generalHelp([...COMMANDS, ...RAW_COMMANDS], EXIT_CODES);
  for (const { name, summary } of [...COMMANDS, ...RAW_COMMANDS])
    expect(text).toMatch(new RegExp(`^ {2}${name} +${summary.slice(0, 10)}`, "m"));
  for (const { code, meaning } of EXIT_CODES)
    expect(text).toContain(`${String(code).padStart(3)}  ${meaning}`);
  for (const word of ["TROUPE_URL", "TROUPE_TOKEN", "TROUPE_HOME", "OLLAMA_HOST", "NO_COLOR"])
    expect(text).toContain(word);
  for (const { name } of SUPPORT) expect(text).toContain(name);
});

test("no line of any help is wider than 110 characters", () => {
  const texts = [
    generalHelp([...COMMANDS, ...RAW_COMMANDS], EXIT_CODES),
    ...COMMANDS.map((command) => commandHelp(command, COMMON_FLAGS)),
  ];
  const wide = texts.flatMap((text) => text.split("\n")).filter((line) => line.length > 110);
  expect(wide).toEqual([]);
});

test("a command's help names its usage and every flag with its value", () => {
  const delegate = COMMANDS.find(({ name }) => name === "delegate");
  if (!delegate) throw new Error("There is no delegate.");
  const text = commandHelp(delegate, COMMON_FLAGS);
  expect(text).toContain('Usage: troupe delegate "goal" [flags]');
  expect(text).toMatch(/^ {2}--toolset NAME +what it may use/m);
  expect(text).toMatch(/^ {2}-h, --help +this text/m);
});

test("a group's help lists its commands with what they take", () => {
  const tasks = COMMANDS.filter(({ name }) => name.startsWith("tasks "));
  expect(groupHelp("tasks", tasks)).toMatch(/^ {2}tasks steer ID "message" +send a running task a message$/m);
});
