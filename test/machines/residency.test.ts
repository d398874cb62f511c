// The residency machine as a table: each state in which a profile can rest against each event, its tags, what its
// effects come to; then its definition as a document, and any events in any order.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { residencyMachine, type ResidencyEvent, type ResidencyTag } from "../../machines/residency.ts";
import { RESIDENCY_STATES } from "../../src/core/lifecycle.ts";
import { Definition } from "./definition.ts";
import { failedLoad, hostAt, LOADED, ResidencyHost, STAGES, type Stage } from "./residency-host.ts";

const REMOVED = { kind: "refused", code: "model_not_found", message: "It is not there." } as const;
const EVENTS = {
  load: { type: "load" },
  unload: { type: "unload" },
  seen: { type: "seen", vramBytes: 9 },
  gone: { type: "gone" },
  "server.away": { type: "server.away" },
  "server.back": { type: "server.back" },
  "model.removed": { type: "model.removed", failure: REMOVED },
  "model.found": { type: "model.found" },
  "retry.due": { type: "retry.due" },
} as const satisfies Record<string, ResidencyEvent>;
type EventName = keyof typeof EVENTS;

const ALWAYS = { "server.away": "absent.away", "model.removed": "absent.removed" } as const;

/** Where each event leads; an event that is not there changes nothing. */
const TABLE: Readonly<Record<Stage, Partial<Record<EventName, Stage | null>>>> = {
  "absent.idle": { load: "loading", seen: "resident" },
  "absent.backing_off": { seen: "resident", "server.back": "absent.idle", "retry.due": "absent.idle" },
  "absent.wedged": { seen: "resident", "server.back": "absent.idle", "retry.due": "absent.idle" },
  "absent.removed": { "model.found": "absent.idle" },
  "absent.away": { "server.away": null, "server.back": "absent.idle", seen: "resident" },
  loading: { unload: "unloading" },
  resident: { unload: "draining", seen: "resident", gone: "absent.idle" },
  draining: { load: "resident", gone: "absent.idle" },
  unloading: {},
};

const TAGS: Readonly<Record<Stage, readonly ResidencyTag[]>> = {
  "absent.idle": [],
  "absent.backing_off": ["passing"],
  "absent.wedged": ["passing"],
  "absent.removed": ["passing"],
  "absent.away": ["passing"],
  loading: ["in_memory"],
  resident: ["in_memory"],
  draining: ["in_memory"],
  unloading: ["in_memory"],
};

const cells = STAGES.flatMap((stage) =>
  (Object.keys(EVENTS) as EventName[]).map((event) => {
    const row: Partial<Record<EventName, Stage | null>> = { ...ALWAYS, ...TABLE[stage] };
    return { stage, event, target: row[event] ?? null };
  }),
);

describe("a profile", () => {
  it.each(cells.filter(({ target }) => target !== null))(
    "goes from $stage to $target on $event",
    async ({ stage, event, target }) => {
      const host = await hostAt(stage);
      const left = host.effects.filter(({ settled }) => !settled);
      host.send(EVENTS[event]);
      expect(host.at).toBe(target);
      expect(
        left.filter(({ signal }) => !signal.aborted),
        "V6 its effect was aborted",
      ).toEqual([]);
    },
  );

  it.each(STAGES)("stays in %s on every other event, and goes on with its effect", async (stage) => {
    for (const { event } of cells.filter((cell) => cell.stage === stage && cell.target === null)) {
      const host = await hostAt(stage);
      const { inFlight } = host;
      const { context } = host.snapshot;
      host.send(EVENTS[event]);
      expect([event, host.at, host.inFlight]).toEqual([event, stage, inFlight]);
      expect(host.snapshot.context).toBe(context);
    }
  });

  it.each(STAGES)("has in %s the tags that its host follows (V5)", async (stage) => {
    const host = await hostAt(stage);
    expect(host.at).toBe(stage);
    expect([...host.snapshot.tags]).toEqual(TAGS[stage]);
  });

  it("V1 has the five words as its top-level states", () => {
    expect(Object.keys(residencyMachine.root.states)).toEqual(RESIDENCY_STATES);
    expect(new Set(STAGES.map((stage) => stage.split(".")[0]))).toEqual(new Set(RESIDENCY_STATES));
  });
});

describe("a load", () => {
  it("notes what the model takes and how long it took, and forgets the failures before it", async () => {
    const host = await hostAt("absent.backing_off");
    await host.send({ type: "retry.due" }, { type: "load" }).end("load", LOADED);
    expect(host.snapshot.context).toMatchObject({ vramBytes: 8, loadMs: 1_500, failures: 0, failure: null });
    expect(host.send({ type: "gone" }).snapshot.context).toMatchObject({ vramBytes: 0, loadMs: 1_500 });
  });

  it.each([
    ["failed", "absent.backing_off"],
    ["wedged", "absent.wedged"],
    ["removed", "absent.removed"],
  ] as const)("that %s is told with its reason, and counted", async (outcome, target) => {
    const host = await hostAt("loading");
    await host.end("load", failedLoad(outcome, "some_code"));
    expect(host.at).toBe(target);
    expect(host.snapshot.context).toMatchObject({
      failures: 1,
      failure: { kind: "overloaded", code: "some_code", message: `It is ${outcome}.` },
      retryInMs: 5_000,
    });
    expect(host.pauses).toEqual(outcome === "removed" ? [] : [5_000]);
  });

  it("on a server that went away has no reason of its own: the server tells each turn", async () => {
    const host = await hostAt("loading");
    await host.end("load", { outcome: "away" });
    expect(host.at).toBe("absent.away");
    expect(host.snapshot.context.failure).toBeNull();
  });

  it("tells its effect how often it failed, and begins only at a command after the pause (V2)", async () => {
    const host = await hostAt("absent.wedged");
    host.send({ type: "load" });
    expect(host.at).toBe("absent.wedged");
    host.send({ type: "retry.due" });
    expect([host.at, host.snapshot.context.failure]).toEqual(["absent.idle", null]);
    host.send({ type: "load" });
    expect(host.inFlight).toMatchObject({
      name: "load",
      input: { backend: "ollama", profile: "a@512", failures: 1 },
    });
  });

  it("that breaks by a defect of ours is told as one, and tried again later", async () => {
    const host = await hostAt("loading");
    await host.break("load", new Error("no such field"));
    expect(host.at).toBe("absent.backing_off");
    expect(host.snapshot.context.failure).toEqual({
      kind: "overloaded",
      code: "internal",
      message: "Troupe failed to load the model: no such field",
    });
    expect(host.pauses).toEqual([60_000]);
    expect(host.errors).toEqual([]);
  });
});

describe("an unload", () => {
  it("V3 asks the server only after the last of ours let go", async () => {
    const host = await hostAt("draining");
    expect(host.inFlight?.name).toBe("drain");
    await host.end("drain", undefined);
    expect([host.at, host.inFlight?.name]).toEqual(["unloading", "unload"]);
    await host.end("unload", { outcome: "gone" });
    expect(host.at).toBe("absent.idle");
  });

  it.each([
    ["kept", "resident"],
    ["away", "absent.away"],
  ] as const)("that ends as %s leads to %s", async (outcome, target) => {
    const host = await hostAt("unloading");
    await host.end("unload", { outcome });
    expect(host.at).toBe(target);
  });

  it.each(["drain", "unload"] as const)("whose %s breaks leaves it where it was", async (effect) => {
    const host = await hostAt(effect === "drain" ? "draining" : "unloading");
    await host.break(effect, new Error("a defect"));
    expect([host.at, host.errors]).toEqual(["resident", []]);
  });
});

describe("any events in any order", () => {
  const steps = fc.array(
    fc.oneof(fc.constantFrom(...Object.values(EVENTS)), fc.constantFrom<"good" | "bad">("good", "bad")),
    { maxLength: 30 },
  );

  it("leave it in one of its states, with the effect of that state alone, and never load without a command", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (moves) => {
        const host = new ResidencyHost();
        for (const move of moves) {
          const { length } = host.effects;
          if (typeof move === "object") host.send(move);
          else await settleOne(host, move);
          const begun = host.effects.slice(length).map(({ name }) => name);
          const isCommand = typeof move === "object" && move.type === "load";
          expect(isCommand || !begun.includes("load"), "V2").toBe(true);
          expect(STAGES).toContain(host.at);
          const expected = { loading: "load", draining: "drain", unloading: "unload" }[host.at];
          expect(host.inFlight?.name).toBe(expected);
        }
        expect(host.errors).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

/** Ends the effect in flight, well or badly; nothing where none is. */
async function settleOne(host: ResidencyHost, how: "good" | "bad"): Promise<void> {
  const name = host.inFlight?.name;
  if (name === "load") await host.end("load", how === "good" ? LOADED : failedLoad("failed", "x"));
  if (name === "drain") await host.end("drain", undefined);
  if (name === "unload") await host.end("unload", { outcome: how === "good" ? "gone" : "kept" });
}

describe("the definition", () => {
  const definition = new Definition(residencyMachine);

  it("loses nothing as JSON, and uses exactly the names that it declares", () => {
    const { actions, guards, actors } = residencyMachine.implementations;
    expect(definition.lost()).toEqual([]);
    expect(definition.namesUnder("actions", "entry", "exit")).toEqual(Object.keys(actions).toSorted());
    expect(definition.namesUnder("guard")).toEqual(Object.keys(guards).toSorted());
    expect(definition.namesUnder("src")).toEqual(Object.keys(actors).toSorted());
  });

  it("describes every state in a sentence of its own, and has no timers", () => {
    const states = definition.states();
    const descriptions = states.map((node) => node.description ?? "");
    expect(descriptions.filter((each) => !/^[A-Z].*\.$/s.test(each))).toEqual([]);
    expect(new Set(descriptions).size).toBe(states.length);
    expect(states.flatMap((node) => node.after)).toEqual([]);
  });
});
