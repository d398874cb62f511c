import { describe, expect, test } from "vitest";
import { taskRows } from "../../../src/cli/top/task-rows.ts";
import {
  FIRST_STATE,
  press,
  selectedIndex,
  type Intent,
  type Key,
  type KeyName,
  type TopState,
} from "../../../src/cli/top/top-state.ts";
import { DONE, nodeOf } from "./nodes.ts";

const TREE = [
  nodeOf("a", { children: [nodeOf("b"), nodeOf("c", { phase: "waiting_input" })] }),
  nodeOf("d", DONE),
];
const ROWS = taskRows(TREE, { filter: "", folded: new Set() });
const [A, B, C, D] = ROWS.map(({ node }) => node.taskId) as [string, string, string, string];

interface Typed {
  state: TopState;
  readonly intents: Intent[];
}

/** Presses the keys one after the other: names of keys, or texts in quotes. */
function type(
  keys: readonly (KeyName | `'${string}`)[],
  from: Partial<TopState> = {},
  recording = false,
): Typed {
  const typed: Typed = { state: { ...FIRST_STATE, ...from }, intents: [] };
  for (const each of keys) {
    const key: Key = each.startsWith("'") ? { name: "text", text: each.slice(1) } : { name: each as KeyName };
    const { state, intent } = press(typed.state, key, { rows: ROWS, page: 2, recording });
    typed.state = state;
    if (intent !== null) typed.intents.push(intent);
  }
  return typed;
}

describe("moving", () => {
  test.each<[readonly (KeyName | `'${string}`)[], string]>([
    [["down"], B],
    [["down", "down", "up"], B],
    [["'jj"], C],
    [["page_down", "page_down"], D],
    [["end"], D],
    [["'G", "'g"], A],
    [["end", "page_up"], B],
    [["up"], A],
  ])("%j selects %s", (keys, selected) => expect(type(keys).state.selected).toBe(selected));

  test("stays with its task when rows change, and goes to the first one when it is gone", () => {
    const state = type(["down"]).state;
    expect(selectedIndex(state, ROWS)).toBe(1);
    expect(selectedIndex(state, ROWS.slice(1))).toBe(0);
    expect(selectedIndex(state, [])).toBe(-1);
    expect(press(FIRST_STATE, { name: "down" }, { rows: [], page: 2, recording: false }).intent).toBe(null);
  });

  test("scrolls what covers the tasks: a detail from its beginning, a tail from its end", () => {
    expect(type(["enter", "down", "page_down"]).state).toMatchObject({ panel: "detail", scroll: 3 });
    expect(type(["'t", "up", "page_up", "down"]).state).toMatchObject({ panel: "tail", scroll: 2 });
    expect(type(["enter", "up"]).state.scroll).toBe(0);
  });
});

describe("what covers the tasks", () => {
  test("opens and closes by its key, Esc and q; q on the tasks leaves", () => {
    expect(type(["'?"]).state.panel).toBe("help");
    for (const close of ["escape", "'q", "enter"] as const)
      expect(type(["enter", close]).state.panel).toBe("none");
    expect(type(["'t", "'t"]).state.panel).toBe("none");
    expect(type(["'t", "'q", "'q"]).intents).toEqual([{ kind: "quit" }]);
    expect(type(["'t", "interrupt"]).intents).toEqual([{ kind: "quit" }]);
  });

  test("space folds and unfolds", () => {
    expect(type(["'\u0020"]).state.folded).toEqual(new Set([A]));
    expect(type(["'\u0020\u0020"]).state.folded).toEqual(new Set());
  });
});

describe("K3 a typed line", () => {
  test("holds while it is typed for a filter, and Esc brings the one before back", () => {
    expect(type(["'/", "'qwen", "backspace"]).state).toMatchObject({
      filter: "qwe",
      prompt: { text: "qwe" },
    });
    expect(type(["'/q"]).state.prompt).toMatchObject({ kind: "filter", text: "q" });
    expect(type(["'/", "'x", "escape"], { filter: "old" }).state).toMatchObject({
      filter: "old",
      prompt: null,
    });
    expect(type(["'/", "clear_line", "'new", "enter"], { filter: "old" }).state).toMatchObject({
      filter: "new",
    });
    expect(type(["escape"], { filter: "old" }).state.filter).toBe("");
  });

  test("is sent as a steer on one line, however it was pasted; an empty one is not", () => {
    expect(type(["'s", "'look\nat q", "enter"]).intents).toEqual([
      { kind: "steer", taskId: A, text: "look at q" },
    ]);
    expect(type(["'s", "'\u0020", "enter"])).toMatchObject({
      intents: [],
      state: { notice: "Nothing was sent." },
    });
    expect(type(["'s", "'x", "escape"])).toMatchObject({ intents: [], state: { prompt: null } });
    expect(type(["'s", "'x", "up", "left"]).state.prompt).toMatchObject({ text: "x" });
  });

  test("answers a task that waits for a person, and nobody else", () => {
    const answered = [{ kind: "answer", taskId: C, text: "yes" }];
    expect(type(["down", "down", "'s", "'yes", "enter"]).intents).toEqual(answered);
    expect(type(["down", "down", "'a", "'yes", "enter"]).intents).toEqual(answered);
    expect(type(["'a"]).state.notice).toBe("task_aaaaaaaa waits for no answer.");
    expect(type(["end", "'s"]).state.notice).toBe("task_dddddddd has ended (done).");
  });

  test("an answer says what was asked when the person began to write", () => {
    const rowsAsking = (question: string) =>
      taskRows([nodeOf("c", { phase: "waiting_input", waitsFor: `a person: ${question}` })], {
        filter: "",
        folded: new Set(),
      });
    const keys: Key[] = [{ name: "text", text: "a" }, { name: "text", text: "yes" }, { name: "enter" }];
    let state = FIRST_STATE;
    const intents = keys.map((key, at) => {
      const rows = rowsAsking(at === 0 ? "May I look?" : "May I delete?");
      const pressed = press(state, key, { rows, page: 2, recording: false });
      state = pressed.state;
      return pressed.intent;
    });
    expect(intents.at(-1)).toEqual({ kind: "answer", taskId: C, text: "yes", asked: "May I look?" });
  });

  test("takes characters of any plane away whole", () => {
    expect(type(["'s", "'a🎭", "backspace"]).state.prompt).toMatchObject({ text: "a" });
  });
});

describe("K1 cancelling", () => {
  test("is one key where nothing lives below, and refused with advice where something does", () => {
    expect(type(["down", "'c"]).intents).toEqual([{ kind: "cancel", taskId: B }]);
    expect(type(["'c"])).toMatchObject({
      intents: [],
      state: { notice: "2 tasks below it would end too: C cancels them all, after a question." },
    });
    expect(type(["end", "'c"]).state.notice).toBe("task_dddddddd has ended (done).");
  });

  test("of a subtree asks, and takes nothing but y for a yes", () => {
    expect(type(["'C"]).state.prompt).toEqual({ kind: "cancel", taskId: A, below: 2 });
    expect(type(["'C", "'y"])).toMatchObject({
      intents: [{ kind: "cancel", taskId: A }],
      state: { prompt: null },
    });
    for (const no of ["'n", "'C", "enter", "escape"] as const)
      expect(type(["'C", no])).toMatchObject({ intents: [], state: { notice: "Nothing was cancelled." } });
  });
});

test("r asks for the past of the selected task", () => {
  expect(type(["down", "'r"]).intents).toEqual([{ kind: "replay", taskId: B }]);
});

test("p asks for a pause; a notice goes with the next key; unknown keys do nothing", () => {
  expect(type(["'p"]).intents).toEqual([{ kind: "pause" }]);
  expect(type(["'x"], { notice: "old" }).state).toEqual(FIRST_STATE);
});

test("K2 a recording is stepped through, and never acted on", () => {
  expect(type(["left", "right", "'g", "'G"], {}, true).intents).toEqual([
    { kind: "step", by: -1 },
    { kind: "step", by: 1 },
    { kind: "step", by: "first" },
    { kind: "step", by: "last" },
  ]);
  for (const key of ["'s", "'a", "'c", "'C", "'p"] as const) {
    const { state, intents } = type([key], {}, true);
    expect([state.notice, state.prompt, intents]).toEqual([
      "This is a recording: it can only be looked at.",
      null,
      [],
    ]);
  }
  expect(type(["'["], {}, true).intents).toEqual([{ kind: "step", by: -25 }]);
  expect(type(["'r"], {}, true).intents).toEqual([]);
  for (const key of ["left", "'["] as const) expect(type([key]).intents).toEqual([]);
});
