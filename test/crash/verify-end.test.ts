// The checks themselves can fail: a small house that is in order, and each way in which it may not be.

import { describe, expect, test } from "vitest";
import type { TaskView } from "../../src/core/api.ts";
import type { EventType, StoredEvent } from "../../src/core/event.ts";
import type { State } from "../../src/core/lifecycle.ts";
import { textMessage, type Message, type TranscriptRow } from "../../src/core/message.ts";
import { completionText, steerText } from "../../src/core/transcript-marks.ts";
import { Ledger } from "./ledger.ts";
import type { Look } from "./look.ts";
import { goalOf, type Plan } from "./plan.ts";
import { wrongAtTheEnd } from "./verify-end.ts";
import { lostAfterRestart } from "./verify.ts";

const leaf = (name: string): Plan => ({ name, manner: "async", ms: 0, reports: false, children: [] });
const PARENT: Plan = { ...leaf("h1.0"), children: [leaf("h1.0.0"), leaf("h1.0.1")] };

interface House {
  readonly ledger: Ledger;
  readonly views: Map<string, TaskView>;
  readonly transcripts: Map<string, TranscriptRow[]>;
  events: StoredEvent[];
  readonly results: Map<string, string>;
}

const look = ({ views, events, transcripts, results }: House): Look => ({
  views,
  events,
  transcripts,
  results,
});
const wrong = (house: House): string => wrongAtTheEnd(look(house), house.ledger).join("\n");

function view(taskId: string, plan: Plan, parts: Partial<TaskView> = {}): TaskView {
  return {
    taskId,
    kind: "task",
    parentId: null,
    goal: goalOf(plan),
    state: "done",
    phase: null,
    failure: null,
    releasedAt: 9,
    run: 1,
    steers: [],
    lastEvent: 2,
    ...parts,
  } as TaskView;
}

function row(taskId: string, index: number, message: Message): TranscriptRow {
  return { taskId, index, seq: index, run: 1, turn: 1, time: 0, message };
}

function announcing(taskId: string): Message {
  return textMessage(
    "user",
    "completion",
    completionText({ taskId, state: "done", goal: "", result: "did" }),
  );
}

let cursor = 0;
/** Only what ends a task shows another state. */
function event(taskId: string, seq: number, type: EventType): StoredEvent {
  const state: State = type === "task.done" ? "done" : type === "task.failed" ? "failed" : "running";
  return { taskId, seq, cursor: ++cursor, type, state } as StoredEvent;
}

/** A parent that had two children, which ended in order, and a steer that the first one read. */
function inOrder(): House {
  cursor = 0;
  const ledger = new Ledger();
  const receipt = { taskId: "one", steerId: "s", state: "delivered", interrupt: false } as const;
  const house: House = {
    ledger,
    views: new Map([
      ["parent", view("parent", PARENT)],
      [
        "one",
        view("one", leaf("h1.0.0"), {
          parentId: "parent",
          steers: [{ ...receipt, turn: 1, reason: null, time: 0 }],
        }),
      ],
      ["two", view("two", leaf("h1.0.1"), { parentId: "parent" })],
    ]),
    transcripts: new Map([
      [
        "parent",
        [
          row("parent", 1, textMessage("user", "goal", goalOf(PARENT))),
          row("parent", 2, announcing("one")),
          row("parent", 3, announcing("two")),
        ],
      ],
      ["one", [row("one", 1, textMessage("user", "steer", steerText("mind")))]],
      ["two", []],
    ]),
    events: ["parent", "one", "two"].map((id) => event(id, 1, "task.spawned")),
    results: new Map([["one", "bytes"]]),
  };
  for (const id of ["one", "two", "parent"]) house.events.push(event(id, 2, "task.done"));
  for (const each of house.events) ledger.show(each);
  const request = { goal: goalOf(PARENT), idempotencyKey: "key" };
  ledger.acknowledge({ kind: "task", request, plan: PARENT }, ["parent"], 1);
  ledger.tell({ ...receipt, turn: 1, reason: null, time: 0 }, { text: "mind", kind: "steer" }, 1);
  ledger.results.set("one", "bytes");
  return house;
}

const change = (house: House, taskId: string, parts: Partial<TaskView>): void => {
  house.views.set(taskId, { ...(house.views.get(taskId) as TaskView), ...parts });
};

const BREAKAGES: readonly (readonly [string, (house: House) => void, RegExp])[] = [
  ["I1 a task is gone", ({ views }) => views.delete("parent"), /acknowledged in life 1, does not exist/],
  [
    "I1 shown events are gone",
    (house) => change(house, "two", { lastEvent: 1 }),
    /two had shown event 2, and stands at 1/,
  ],
  [
    "I2 an end is another",
    (house) => change(house, "two", { state: "cancelled" }),
    /two was done, and is cancelled/,
  ],
  [
    "I2 a task ends twice",
    (house) => house.events.push(event("two", 3, "task.failed")),
    /two has 2 terminal events/,
  ],
  [
    "I2 a task acts after its end",
    (house) => house.events.push(event("two", 3, "turn.started")),
    /turn.started \(event 3\) after its end/,
  ],
  [
    "I2 a task has no end",
    (house) => void (house.events = house.events.filter(({ taskId, seq }) => taskId !== "two" || seq === 1)),
    /two has 0 terminal events/,
  ],
  ["I7 an event is missing", (house) => void house.events.splice(0, 1), /parent has event 2 .* after 0/],
  [
    "I7 the stream left an event out",
    ({ ledger }) => void ledger.shown.set("two", 1),
    /the stream showed 1 of the 2 events of two/,
  ],
  [
    "I6 a steer is lost",
    (house) => change(house, "one", { steers: [] }),
    /the steer s to one, acknowledged in life 1, is lost/,
  ],
  [
    "I6 a steer was never read",
    ({ transcripts }) => transcripts.set("one", []),
    /s is delivered, and was never read/,
  ],
  [
    "I6 a steer is read twice",
    ({ transcripts }) =>
      void transcripts.get("one")?.push(row("one", 2, textMessage("user", "steer", steerText("mind")))),
    /one reads s twice/,
  ],
  [
    "I13 an end is told twice",
    ({ transcripts }) => void transcripts.get("parent")?.push(row("parent", 4, announcing("two"))),
    /heard twice of the end of two/,
  ],
  [
    "I13 an end is never told",
    ({ transcripts }) => void transcripts.get("parent")?.pop(),
    /parent never heard of the end of two/,
  ],
  [
    "I13 ends are told in another order",
    ({ transcripts }) =>
      void transcripts
        .get("parent")
        ?.splice(1, 2, row("parent", 2, announcing("two")), row("parent", 3, announcing("one"))),
    /in another order/,
  ],
  [
    "I21 a child is made twice",
    ({ views }) => views.set("three", view("three", leaf("h1.0.1"), { parentId: "parent" })),
    /made h1.0.1 2 times/,
  ],
  ["I21 a child was never made", ({ views }) => views.delete("two"), /parent is done, and never made h1.0.1/],
  [
    "I8 a result is another",
    ({ results }) => results.set("one", "other"),
    /the result of one was bytes, and is other/,
  ],
  [
    "I9 a cancelled task starts again",
    ({ ledger }) => {
      ledger.callOff({ taskId: "two", cancelled: ["two"], state: "cancelled" }, 1);
      ledger.generated("h1.0.1", 2);
    },
    /two was cancelled in life 1, and generates in life 2/,
  ],
  [
    "I9 a cancelled task begins a turn",
    (house) =>
      void house.events.splice(3, 0, event("two", 2, "cancel.requested"), event("two", 3, "turn.started")),
    /two begins a turn after it was cancelled/,
  ],
  [
    "I10 a cancel has no cause",
    (house) => {
      house.ledger.ends.set("parent", "cancelled");
      change(house, "parent", { state: "cancelled" });
    },
    /parent is cancelled, and nobody asked/,
  ],
  ["I27 a task never ends", (house) => change(house, "two", { state: "running" }), /two is running/],
  [
    "I4 a task is never released",
    (house) => change(house, "two", { releasedAt: null }),
    /two is done and was never released/,
  ],
  [
    "a task fails for no reason of ours",
    (house) => {
      house.ledger.ends.set("two", "failed");
      change(house, "two", { state: "failed", failure: { code: "internal", message: "", retryable: false } });
    },
    /two failed: internal/,
  ],
];

describe("a house at rest", () => {
  test("is in order when it is", () => {
    expect(wrong(inOrder())).toBe("");
  });

  test.each(BREAKAGES)("%s: that is found", (_, breakIt, found) => {
    const house = inOrder();
    breakIt(house);
    expect(wrong(house)).toMatch(found);
  });
});

test("I1 a look that was begun earlier is not asked for what was shown later", () => {
  const house = inOrder();
  const remembered = house.ledger.remember();
  house.ledger.show(event("late", 1, "task.spawned"));
  expect(lostAfterRestart(house.views, remembered)).toEqual([]);
  expect(lostAfterRestart(house.views, house.ledger)).toEqual([
    "late, whose events were shown, does not exist",
  ]);
});

test("I22 one key that makes two tasks is told, and events out of turn are too", () => {
  const ledger = new Ledger();
  const spawn = { kind: "task", request: { goal: "g", idempotencyKey: "k" }, plan: PARENT } as const;
  expect(ledger.acknowledge(spawn, ["a"], 1)).toEqual([]);
  expect(ledger.acknowledge(spawn, ["b"], 2)).toEqual(["k made a, and now b"]);
  expect(ledger.show(event("a", 2, "task.started"))).toBe("a shows event 2 (task.started) after 0");
});
