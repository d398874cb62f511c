// How tasks end, what is refused, that nobody starves, and that a log replays, on the deterministic core.

import { describe, expect, it } from "vitest";
import { decide } from "../../src/scheduler/decide.ts";
import { BYPASS_LIMIT } from "../../src/scheduler/queue.ts";
import { createState } from "../../src/scheduler/state.ts";
import { counts } from "../../src/scheduler/view.ts";
import { Desk, PATIENCE_MS, SALT, thrownBy } from "./desk.ts";

describe("end", () => {
  const ways: [string, (desk: Desk) => void][] = [
    ["waiting for its parent's slot", (desk) => desk.admit("x", { parentSlots: 1 })],
    [
      "waiting for its agent's cap",
      (desk) => {
        desk.admit("y", { agentLimit: { key: "coder", limit: 1 } });
        desk.admit("x", { agentLimit: { key: "coder", limit: 1 } });
      },
    ],
    ["waiting for a place", (desk) => desk.admit("x", { parentId: "other" }) && desk.admit("z")],
    [
      "waiting for a lease",
      (desk) => {
        desk.backend({ maxChildren: 3 });
        desk.admit("x");
        desk.ask("a");
        desk.ask("x");
      },
    ],
    [
      "generating",
      (desk) => {
        desk.backend({ maxChildren: 3 });
        desk.admit("x");
        desk.ask("x");
      },
    ],
    [
      "parked",
      (desk) => {
        desk.backend({ maxChildren: 3 });
        desk.admit("x");
        desk.park("x");
      },
    ],
    [
      "waiting to return",
      (desk) => {
        desk.backend({ maxChildren: 2 });
        desk.admit("x");
        desk.park("x");
        desk.admit("z");
        desk.ask("x");
      },
    ],
    ["that is an open session", (desk) => desk.session("x")],
    [
      "held back by a pause",
      (desk) => {
        desk.run({ type: "pause", paused: true });
        desk.session("x");
      },
    ],
  ];

  it.each(ways)("gives everything back from a task %s", (_, bring) => {
    const desk = new Desk({ maxChildren: 1 });
    desk.admit("a");
    bring(desk);
    desk.end("x");
    desk.end("x");
    for (const taskId of ["a", "y", "z"]) desk.end(taskId);
    expect(counts(desk.state)).toEqual({ slots: 0, places: 0, leases: 0, waiting: 0 });
    expect([desk.state.tasks.size, desk.state.parents.size, desk.state.leases.size]).toEqual([0, 0, 0]);
    const lane = desk.state.backends.get("local")?.lanes.get("");
    expect([lane?.doors.idle, lane?.places.idle, lane?.leases.idle, lane?.stopping.size]).toEqual([
      true,
      true,
      true,
      0,
    ]);
  });

  it("lets a new sibling stand in line for the place like everybody else", () => {
    const desk = new Desk({ maxChildren: 1 });
    desk.admit("a1", { parentId: "a", parentSlots: 1 });
    desk.admit("a2", { parentId: "a", parentSlots: 1, class: "interactive" });
    desk.admit("b1", { parentId: "b" });
    expect(desk.end("a1")).toEqual(["admitted a2"]);
  });

  it("forgets a parent with its last child only, so that its agents' caps go on counting", () => {
    const desk = new Desk({ maxChildren: 9 });
    const writer = { parentId: null, agentLimit: { key: "writer", limit: 1 } };
    desk.admit("a", { parentId: null });
    desk.admit("b", { parentId: null });
    desk.end("a");
    expect(desk.admit("w1", writer)).toEqual(["admitted w1"]);
    desk.end("b");
    expect(desk.admit("w2", writer)).toEqual([]);
    expect(desk.end("w1")).toEqual(["admitted w2"]);
  });

  it("makes later calls for the task no-ops, and its id free again", () => {
    const desk = new Desk();
    desk.admit("a");
    desk.end("a");
    expect([...desk.ask("a"), ...desk.park("a"), ...desk.reclass("a", "batch")]).toEqual([]);
    expect(desk.run({ type: "withdraw", taskId: "a" })).toEqual([]);
    expect(desk.admit("a")).toEqual(["admitted a"]);
  });
});

describe("refusals", () => {
  it("name the key that would allow more waiting tasks, and change nothing", () => {
    const desk = new Desk({ maxChildren: 1, maxQueued: 2 });
    for (const taskId of ["a", "b", "c"]) desk.admit(taskId);
    const before = counts(desk.state);
    const error = thrownBy(() => desk.admit("d"));
    expect([error.kind, error.code]).toEqual(["limit", "queue_full"]);
    expect(error.message).toContain("scheduler.max_queued");
    expect(error.details).toEqual({ backend: "local", limit: 2, config_key: "scheduler.max_queued" });
    expect(counts(desk.state)).toEqual(before);
    expect([desk.state.tasks.has("d"), desk.admit("b")]).toEqual([false, []]);
    desk.end("b");
    expect(desk.admit("d")).toEqual([]);
  });

  it("do not meet a task that need not wait, however many wait for their parents", () => {
    const desk = new Desk({ maxChildren: 9, maxQueued: 1 });
    desk.admit("a1", { parentId: "a", parentSlots: 1 });
    desk.admit("a2", { parentId: "a", parentSlots: 1 });
    expect(thrownBy(() => desk.admit("a3", { parentId: "a", parentSlots: 1 })).code).toBe("queue_full");
    expect(desk.admit("b1", { parentId: "b" })).toEqual(["admitted b1"]);
    expect(desk.session("chat")).toEqual(["admitted chat"]);
    const coder = { parentId: "b", agentLimit: { key: "coder", limit: 1 } };
    expect(desk.admit("b2", coder)).toEqual(["admitted b2"]);
    expect(thrownBy(() => desk.admit("b3", coder)).code).toBe("queue_full");
    desk.run({ type: "pause", paused: true });
    expect(desk.session("late")).toEqual(["admitted late"]);
    expect(thrownBy(() => desk.admit("b4", { parentId: "c" })).code).toBe("queue_full");
  });

  it("never refuse a turn of a task that was admitted, however many wait", () => {
    const desk = new Desk({ maxChildren: 9, slots: 1, maxQueued: 1 });
    for (const taskId of ["a", "b", "c", "d"]) desk.admit(taskId);
    expect(desk.ask("a")).toEqual(["granted a"]);
    for (const taskId of ["b", "c", "d"]) expect(desk.ask(taskId)).toEqual([]);
    expect(desk.release("a")).toEqual(["granted b"]);
  });

  it("name the backends that exist when asked for another", () => {
    const desk = new Desk();
    const error = thrownBy(() => desk.admit("a", { backend: "locla" }));
    expect([error.kind, error.code]).toEqual(["config", "unknown_backend"]);
    expect(error.message).toContain('(local), got "locla"');
    expect(desk.state.tasks.size).toBe(0);
  });

  it("say that a task asked for a lease before it was admitted", () => {
    const desk = new Desk({ maxChildren: 1 });
    desk.admit("a");
    desk.admit("b");
    expect(thrownBy(() => desk.ask("b")).code).toBe("not_admitted");
    expect(desk.park("b")).toEqual([]);
    expect(desk.end("a")).toEqual(["admitted b"]);
  });
});

describe("S4 nobody starves", () => {
  it("a batch turn gets a lease under an endless stream of background turns", () => {
    const desk = new Desk({ maxChildren: 99 });
    for (const taskId of ["batch", "x", "y"]) desk.admit(taskId);
    desk.ask("x");
    desk.ask("batch", { class: "batch" });
    let [runs, waits] = ["x", "y"];
    let others = 0;
    while (desk.leaseOf("batch") === "lease_none" && others < 1000) {
      desk.ask(waits as string);
      desk.release(runs as string);
      [runs, waits] = [waits, runs];
      others++;
    }
    expect(others - 1).toBe(BYPASS_LIMIT);
  });

  it("a new child gets a place under tasks that return without end", () => {
    const desk = new Desk({ maxChildren: 1, slots: 9 });
    desk.admit("x");
    desk.park("x");
    desk.admit("y");
    desk.admit("new", { class: "batch" });
    let returned = 0;
    let [runs, parked] = ["y", "x"];
    while (desk.position("new") !== undefined && returned < 1000) {
      desk.ask(parked, { class: "resuming", front: true });
      desk.park(runs);
      desk.run({ type: "release", leaseId: desk.leaseOf(parked) });
      [runs, parked] = [parked, runs];
      returned++;
    }
    expect(returned - 1).toBe(BYPASS_LIMIT);
  });

  it("a turn gets a lease although others always go to the front of its class", () => {
    const desk = new Desk({ maxChildren: 9 });
    for (const taskId of ["x", "y", "plain"]) desk.admit(taskId);
    desk.ask("x");
    desk.ask("plain");
    let [runs, waits] = ["x", "y"];
    let others = 0;
    while (desk.leaseOf("plain") === "lease_none" && others < 1000) {
      desk.ask(waits as string, { front: true });
      desk.release(runs as string);
      [runs, waits] = [waits, runs];
      others++;
    }
    expect(others - 1).toBe(BYPASS_LIMIT);
  });

  it("never goes above interactive: a person's turn is next, whoever is overdue", () => {
    const desk = new Desk({ maxChildren: 9 });
    for (const taskId of ["x", "batch"]) desk.admit(taskId);
    desk.ask("x");
    desk.ask("batch", { class: "batch" });
    for (let turn = 0; turn < 3 * BYPASS_LIMIT; turn++) {
      desk.session(`chat${turn}`);
      desk.ask(`chat${turn}`, { class: "interactive" });
    }
    expect(desk.release("x")).toEqual(["granted chat0"]);
    for (let turn = 0; turn + 1 < 3 * BYPASS_LIMIT; turn++) {
      expect(desk.release(`chat${turn}`)).toEqual([`granted chat${turn + 1}`]);
    }
  });
});

describe("S5 replay", () => {
  it("gives the same signals for the same log, in a state of its own", () => {
    const desk = new Desk({ maxChildren: 1 });
    desk.admit("a");
    desk.admit("b");
    desk.session("chat");
    desk.ask("a");
    desk.now = 10;
    desk.ask("chat", { class: "interactive" });
    desk.after(PATIENCE_MS);
    desk.release("a");
    desk.end("a");
    const [first, second] = [0, 1].map(() => {
      const state = createState({ patienceMs: PATIENCE_MS, leaseSalt: SALT });
      return desk.log.flatMap(({ command, now }) => decide(state, command, now).map(({ signal }) => signal));
    });
    expect(first).toEqual(second);
    expect(first?.map(({ type }) => type)).toEqual([
      "admitted",
      "admitted",
      "granted",
      "preempt",
      "granted",
      "admitted",
    ]);
  });
});
