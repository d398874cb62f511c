import { expect, test } from "vitest";
import { keyOf, openFullScreen } from "../../../src/cli/top/full-screen.ts";
import type { Key } from "../../../src/cli/top/top-state.ts";
import { FakeScreen, KEYS } from "./fake-screen.ts";

test.each<[string, Parameters<typeof keyOf>[1], Key | null]>([
  ["", { upArrow: true }, { name: "up" }],
  ["", { return: true }, { name: "enter" }],
  ["", { delete: true }, { name: "backspace" }],
  ["c", { ctrl: true }, { name: "interrupt" }],
  ["u", { ctrl: true }, { name: "clear_line" }],
  ["x", { ctrl: true }, null],
  ["x", { meta: true }, null],
  ["", { tab: true }, null],
  ["日本", {}, { name: "text", text: "日本" }],
])("%j with %j is %j", (input, flags, key) => expect(keyOf(input, flags)).toEqual(key));

test("draws lines in place, tells keys and sizes to who listens, and gives the terminal back", async () => {
  const fake = new FakeScreen(40, 10);
  const screen = await openFullScreen(fake);
  const keys: Key[] = [];
  let sizes = 0;
  const listener = { onKey: (key: Key) => void keys.push(key), onResize: () => void (sizes += 1) };
  expect(screen.listen(listener)).toBe(null);
  screen.draw(["first", "", "third"]);
  await fake.until(({ rows }) => rows[0] === "first" && rows[2] === "third");
  screen.draw(["first", "second", "third"]);
  await fake.until(({ rows }) => rows[1] === "second");
  expect(fake.input.isRaw).toBe(true);
  // Escape alone is known from the beginning of a sequence by the pause after it.
  for (const [index, typed] of [KEYS.up, "q", KEYS.backspace, KEYS.ctrlC].entries()) {
    fake.type(typed);
    while (keys.length <= index) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(keys).toEqual([
    { name: "up" },
    { name: "text", text: "q" },
    { name: "backspace" },
    { name: "interrupt" },
  ]);
  fake.resize(30, 8);
  expect([sizes, screen.room()]).toEqual([1, { columns: 30, rows: 8 }]);
  expect(screen.listen(null)).toBe(listener);
  await screen.close();
  await screen.close();
  expect(fake.input.isRaw).toBe(false);
  expect(fake.written).toContain("\u001b[?1049h");
  expect(fake.written.indexOf("\u001b[?1049l")).toBeGreaterThan(fake.written.indexOf("\u001b[?1049h"));
  expect(fake.written).toContain("\u001b[?25h");
  screen.draw(["after"]);
  expect(fake.text).not.toContain("after");
});
