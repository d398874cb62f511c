import { describe, expect, it } from "vitest";
import { newForest, type Forest } from "../../../web/model/forest.js";
import { blankItem, type Item } from "../../../web/model/item.js";
import { outline, tally, visibleRows } from "../../../web/model/outline.js";

function item(id: string, parentId: string | null, rest: Partial<Item> = {}): Item {
  return {
    ...blankItem(id),
    parentId,
    rootId: "a",
    goal: `goal of ${id}`,
    state: "running",
    phase: "generating",
    ...rest,
  };
}

function forestWith(...items: readonly Item[]): Forest {
  const forest = newForest();
  for (const each of items) {
    forest.items.set(each.id, each);
    if (each.parentId === null) forest.roots.push(each.id);
    else forest.items.get(each.parentId)?.children.push(each.id);
  }
  return forest;
}

const TREE = () =>
  forestWith(
    item("a", null),
    item("b", "a", { state: "done", phase: null }),
    item("c", "a"),
    item("d", "c", { state: "failed", phase: null, note: "out of Memory" }),
    item("e", null, { phase: "waiting_slot" }),
  );
const ALL = { which: "all", query: "", folded: new Set<string>(), root: null } as const;
const ids = (rows: ReturnType<typeof outline>): string => rows.map(({ item: { id } }) => id).join("");

describe("the rows", () => {
  it("are the trees, newest first, children below their parents", () => {
    const rows = outline(TREE(), ALL);
    expect(ids(rows)).toBe("eabcd");
    expect(rows.map(({ depth }) => depth)).toEqual([0, 0, 1, 1, 2]);
    expect(rows.map(({ lines }) => lines)).toEqual([[], [], [true], [false], [false, false]]);
  });

  it.each([
    ["failed", "acd"],
    ["done", "ab"],
    ["living", "eac"],
    ["waiting", "e"],
  ] as const)("%s are shown with their ancestors", (which, expected) => {
    expect(ids(outline(TREE(), { ...ALL, which }))).toBe(expected);
  });

  it("are found by all words, anywhere, in any case", () => {
    expect(ids(outline(TREE(), { ...ALL, query: "MEMORY goal" }))).toBe("acd");
    expect(ids(outline(TREE(), { ...ALL, query: "nothing like it" }))).toBe("");
  });

  it("hide what is folded and count it", () => {
    const rows = outline(TREE(), { ...ALL, folded: new Set(["a", "b"]) });
    expect(rows.map(({ item: { id }, folded, hidden }) => [id, folded, hidden])).toEqual([
      ["e", false, 0],
      ["a", true, 3],
    ]);
  });

  it("may be one tree alone", () => expect(ids(outline(TREE(), { ...ALL, root: "c" }))).toBe("cd"));

  it("are counted by what a person asks", () => {
    expect(tally(TREE())).toEqual({ all: 5, living: 3, waiting: 1, failed: 1, done: 1 });
  });

  it("of ten thousand tasks are drawn a screen at a time", () => {
    const many = forestWith(
      ...Array.from({ length: 10_000 }, (_, at) =>
        item(`t${at}`, at % 100 === 0 ? null : `t${at - (at % 100)}`),
      ),
    );
    const rows = outline(many, ALL);
    expect(rows).toHaveLength(10_000);
    const seen = visibleRows({ top: 140_000, height: 700, rowHeight: 28, count: rows.length });
    expect([seen.from, seen.to]).toEqual([4994, 5031]);
    expect(visibleRows({ top: 0, height: 0, rowHeight: 28, count: 0 })).toEqual({ from: 0, to: 0 });
    expect(visibleRows({ top: 1e9, height: 700, rowHeight: 28, count: 10 })).toEqual({ from: 10, to: 10 });
  });
});
