// The fold, held against a real runtime: what events tell must be what the runtime's own trees show.

import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { call, fail, hang, say, wait } from "../../../providers/script.ts";
import type { TreeNode } from "../../../src/core/api.ts";
import type { StoredEvent } from "../../../src/core/event.ts";
import { toWire, type Wire } from "../../../src/core/wire.ts";
import { applyEvent, forestAt, forestOf, newForest, type Forest } from "../../../web/model/forest.js";
import { converse } from "../../runtime/conversation.ts";

let events: readonly Wire<StoredEvent>[];
/** The runtime's trees halfway and at the end. */
let early: readonly Wire<TreeNode>[];
let late: readonly Wire<TreeNode>[];
let cursorEarly: number;

/** A conversation with children that end in every way, one that lives, and one that was cancelled. */
beforeAll(async () => {
  const talk = await converse((goal) => {
    if (goal === "fails") return [fail("refused", "filtered", "Not that.")];
    return goal === "ends" ? [wait(100), say("gold")] : [hang()];
  });
  const { store } = talk.rig;
  await talk.ask(...["ends", "lives", "goes"].map((goal) => call("delegate_task_async", { goal })));
  early = toWire(await talk.api.tree()) as Wire<TreeNode>[];
  cursorEarly = (await store.bounds()).newest;
  await talk.pass(200);
  await talk.ask(call("delegate_task_async", { goal: "fails" }));
  const goes = (await talk.api.list({ parentId: talk.sessionId })).items.find(({ goal }) => goal === "goes");
  await talk.api.cancel(goes?.taskId ?? "");
  await talk.pass(5_000);
  late = toWire(await talk.api.tree()) as Wire<TreeNode>[];
  events = toWire(await store.events({ after: 0, limit: 10_000 })) as Wire<StoredEvent>[];
});

/** What both ways of knowing must agree on. */
function facts(forest: Forest): unknown {
  return forest.roots.map(function fact(id): unknown {
    const item = forest.items.get(id);
    const { state, phase, goal, kind, seq, createdAt, startedAt, finishedAt, model } = item ?? {};
    const { promptTokens, outputTokens, generations, toolCalls } = item ?? {};
    const used = { promptTokens, outputTokens, generations, toolCalls };
    const children = item?.children.map(fact);
    return { id, state, phase, goal, kind, seq, createdAt, startedAt, finishedAt, model, used, children };
  });
}

describe("the fold of events", () => {
  it("gives what the runtime's own tree shows, from the events alone", () => {
    expect(late[0]?.children.map(({ state }) => state)).toEqual(["done", "running", "cancelled", "failed"]);
    expect(facts(forestAt(events, Infinity))).toEqual(facts(forestOf(late)));
  });

  it("gives the same from a snapshot and the events that follow it", () => {
    const forest = forestOf(early);
    for (const event of events) if (event.cursor > cursorEarly) applyEvent(forest, event);
    expect(facts(forest)).toEqual(facts(forestOf(late)));
  });

  it("F1 takes each event once, however many that the snapshot knew come again", () => {
    fc.assert(
      fc.property(fc.nat({ max: events.length }), (from) => {
        const forest = forestOf(early);
        for (const event of events.slice(from)) if (event.cursor <= cursorEarly) applyEvent(forest, event);
        for (const event of events) applyEvent(forest, event);
        expect(facts(forest)).toEqual(facts(forestOf(late)));
      }),
    );
  });

  it("gives the past: halfway, what the runtime showed halfway", () => {
    expect(facts(forestAt(events, cursorEarly))).toEqual(facts(forestOf(early)));
  });

  it("F2 keeps an end, and its time", () => {
    const forest = forestOf(late);
    const done = late[0]?.children[0];
    const last = events.findLast((event) => event.task_id === done?.task_id);
    if (last === undefined || done === undefined) throw new Error("no such task");
    applyEvent(forest, { ...last, seq: last.seq + 1, state: "running", phase: "generating", time: 9e12 });
    expect(forest.items.get(done.task_id)).toMatchObject({
      state: "done",
      phase: null,
      finishedAt: done.finished_at,
    });
  });

  it("F3 shows a child whose parent is not known yet, and hangs it under the parent when that comes", () => {
    const forest = newForest();
    const spawned = events.filter(({ type }) => type === "task.spawned");
    for (const event of spawned.toReversed()) applyEvent(forest, event);
    expect(forest.roots).toEqual([late[0]?.task_id]);
    expect(forest.items.get(forest.roots[0] ?? "")?.children).toHaveLength(4);
  });

  it("keeps what came while a snapshot was on its way, and lets go of what is no more", () => {
    const known = forestAt(events, Infinity);
    const fresh = forestOf([], known, Math.max(...events.map(({ cursor }) => cursor)));
    expect(fresh.items.size).toBe(0);
    const meanwhile = forestOf(early, known, cursorEarly);
    expect(facts(meanwhile)).toEqual(facts(forestOf(late)));
  });

  it("tells each look of a task with its time, oldest first", () => {
    const done = late[0]?.children[0]?.task_id ?? "";
    const { stretches } = forestAt(events, Infinity).items.get(done) ?? { stretches: [] };
    // A slot that is free at once may be had in the same commit in which it is asked for.
    const tones = stretches.map(({ tone }) => tone).filter((tone) => tone !== "waiting");
    expect(tones).toEqual(["queued", "working", "done"]);
    expect(stretches.map(({ from }) => from)).toEqual(
      stretches.map(({ from }) => from).toSorted((a, b) => a - b),
    );
  });
});
