// The rival of `growth`: the tree as XState alone would have it. One parent machine spawns every task as its child,
// tells it things and waits for its end; nobody takes finished children out, since nothing in XState asks for it.

import { createActor, enqueueActions, setup, type AnyActorRef } from "xstate";
import { systemClock } from "../../src/base/clock.ts";
import type { OpCosts } from "./troupe-tasks.ts";

const child = setup({
  types: {} as { events: { type: "admit" } | { type: "finish" } | { type: "cancel" } },
}).createMachine({
  initial: "spawned",
  on: { cancel: ".cancelled" },
  states: {
    spawned: { on: { admit: "running" } },
    running: { on: { finish: "done" } },
    done: { type: "final" },
    cancelled: { type: "final" },
  },
});

/** Declared apart, so that the parent may name its children's logic by a string, as a persisted one must. */
const parent = setup({
  types: {} as { events: { type: "spawn"; id: string } },
  actors: { child },
}).createMachine({
  on: {
    spawn: {
      actions: enqueueActions(({ enqueue, event }) => {
        if (event.type === "spawn") enqueue.spawnChild("child", { id: event.id });
      }),
    },
  },
});

const since = (start: number): number => systemClock.monotonic() - start;

/** One life of `size` children: all spawned, all looked at, half cancelled and half finished. */
export function naiveCosts(size: number): OpCosts {
  const root = createActor(parent).start();
  const ids = Array.from({ length: size }, (_, at) => `child-${at}`);
  let start = systemClock.monotonic();
  for (const id of ids) root.send({ type: "spawn", id });
  const spawn = since(start);
  const children = root.getSnapshot().children as Readonly<Record<string, AnyActorRef | undefined>>;
  start = systemClock.monotonic();
  const waiting = ids.filter((id) => children[id]?.getSnapshot().status === "active").length;
  const status = since(start);
  start = systemClock.monotonic();
  for (const id of ids.slice(0, size / 2)) children[id]?.send({ type: "cancel" });
  const cancel = since(start);
  start = systemClock.monotonic();
  for (const id of ids.slice(size / 2)) {
    children[id]?.send({ type: "admit" });
    children[id]?.send({ type: "finish" });
  }
  const finish = since(start);
  const over = ids.filter((id) => children[id]?.getSnapshot().status === "done").length;
  return {
    spawn,
    status,
    cancel: cancel * 2,
    finish: finish * 2,
    problems: over === size && waiting === size ? [] : [`${waiting} of ${size} lived, ${over} ended`],
  };
}
