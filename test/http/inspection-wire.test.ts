import { expect, it } from "vitest";
import type { InspectionFrame } from "../../src/core/inspection.ts";
import { machineMessage, statelyMessage } from "../../src/http/inspection-wire.ts";

const state = { status: "active", value: { running: "generating" } } as const;

it("writes an actor as Stately's inspector reads it", () => {
  const frame: InspectionFrame = {
    kind: "actor",
    actorId: "task_1",
    parentId: "ses_1",
    machine: "agent",
    state,
    time: 5,
  };
  expect(statelyMessage(frame, 7)).toEqual({
    type: "@xstate.actor",
    name: "agent",
    sessionId: "task_1",
    rootId: "task_1",
    parentId: "ses_1",
    createdAt: "5",
    id: "7",
    _version: "0.7.2",
    snapshot: { status: "active", value: { running: "generating" }, context: {} },
  });
});

it("writes an effect as an actor of its task, without a value", () => {
  const frame: InspectionFrame = {
    kind: "actor",
    actorId: "task_1#generate",
    parentId: "task_1",
    machine: null,
    state: { status: "active", value: null },
    time: 5,
  };
  const message = statelyMessage(frame, 1);
  expect(message).toMatchObject({
    name: "generate",
    rootId: "task_1",
    snapshot: { status: "active", context: {} },
  });
  expect(message).not.toHaveProperty("snapshot.value");
});

it("writes events and snapshots", () => {
  const about = { actorId: "task_1", event: "admitted", time: 5 };
  expect(statelyMessage({ kind: "event", ...about, sourceId: null }, 1)).toMatchObject({
    type: "@xstate.event",
    event: { type: "admitted" },
  });
  expect(statelyMessage({ kind: "event", ...about, sourceId: "task_1#x" }, 1)).toHaveProperty(
    "sourceId",
    "task_1#x",
  );
  expect(statelyMessage({ kind: "snapshot", ...about, state }, 1)).toMatchObject({
    type: "@xstate.snapshot",
    event: { type: "admitted" },
    snapshot: { value: { running: "generating" } },
  });
});

it("writes a machine once, with the text of its config", () => {
  expect(machineMessage({ machine: "agent", version: 1, config: "{}" })).toEqual({
    type: "machine",
    name: "agent",
    version: 1,
    definition: "{}",
  });
});
