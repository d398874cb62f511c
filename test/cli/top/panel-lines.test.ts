import { expect, test } from "vitest";
import { SimulatedClock } from "../../../src/base/clock.ts";
import { detailLines, helpLines, outputLines } from "../../../src/cli/top/panel-lines.ts";
import { CannedApi } from "../../http/canned-api.ts";
import { textOf } from "./nodes.ts";

test("a task's detail shows marks for what a terminal would obey", async () => {
  const clock = new SimulatedClock();
  const api = new CannedApi({ clock });
  const { taskId } = await api.delegate({ goal: "look" });
  const view = { ...(await api.check(taskId)), tail: ["a\u001b[2Jb"], workspace: "\u202ewhere" };
  const lines = detailLines(view, clock.now()).map(textOf);
  expect(lines).toContain(`task       ${taskId}`);
  expect(lines).toContain("output     a␛[2Jb");
  expect(lines).toContain("workspace  ‹U+202E›where");
  expect(detailLines(null, 0).map(textOf)).toEqual(["…"]);
});

test("output is wrapped to the screen, its last lines only", () => {
  expect(outputLines(["one two", "\u001b]0;x\u0007\tend"], 5).map(textOf)).toEqual([
    "one",
    "two",
    "␛]0;x",
    "␇",
    "end",
  ]);
  expect(
    outputLines(
      Array.from({ length: 5_000 }, () => "x"),
      80,
    ),
  ).toHaveLength(2_000);
  expect(outputLines([], 80).map(textOf)).toEqual(["It has written nothing yet."]);
});

test("every key of the screen is in its help", () => {
  const help = helpLines().map(textOf).join("\n");
  for (const key of ["↑", "enter", "space", "t", "s", "c", "C", "p", "/", "Esc", "q"])
    expect(help).toMatch(new RegExp(String.raw`^ {2}.*${key}`, "m"));
});
