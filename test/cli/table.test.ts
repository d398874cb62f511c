import { expect, test } from "vitest";
import { table } from "../../src/cli/table.ts";

test("makes columns as wide as what stands in them, and leaves the last one as it is", () => {
  expect(table(["A", "LONG", "C"], [["abc", "x", "end"]])).toEqual([
    [["dim", "A    LONG  C"]],
    ["abc  ", "x     ", "end"],
  ]);
});

test("paints cells by their place", () => {
  const lines = table(["A", "B"], [["1", "2"]], (text, { row, column }) =>
    row === 0 && column === 1 ? ["red", text] : text,
  );
  expect(lines[1]).toEqual(["1  ", ["red", "2"]]);
  expect(table(["A"], [])).toEqual([[["dim", "A"]]]);
});
