// What is easy to get wrong with XState 5 (measured on 5.33), each with a test that our way avoids it. A pitfall that
// XState mends one day fails its half of a test here, and the way round it can go.

import { readdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createActor, transition, type InspectionEvent } from "xstate";
import manifest from "../../package.json" with { type: "json" };
import { AGENT_MACHINE_VERSION, agentMachine, type AgentSnapshot } from "../../machines/agent.ts";
import { settle } from "../../src/base/clock.ts";
import { allStates } from "./agent-graph.ts";
import { CANCEL, Host, mail } from "./host.ts";
import { hostAt, stagesOf } from "./stages.ts";

const GRANTED = { type: "lease.granted" } as const;

/** What the process would die of: it must stay empty. */
const uncaught: unknown[] = [];
const note = (error: unknown): void => void uncaught.push(error);
beforeEach(() => {
  uncaught.length = 0;
  process.on("uncaughtException", note).on("unhandledRejection", note);
});
afterEach(() => {
  process.off("uncaughtException", note).off("unhandledRejection", note);
});

/** Lets errors that XState throws again from a timer come up. */
async function quiet(): Promise<readonly unknown[]> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  await settle();
  return uncaught;
}

describe("inspection", () => {
  const throwing = (): void => {
    throw new Error("the viewer is broken");
  };
  const guarded = (inspect: (event: InspectionEvent) => void) => (event: InspectionEvent) => {
    try {
      inspect(event);
    } catch {
      // A viewer that fails must not reach the actor.
    }
  };

  it("breaks an actor whose callback throws", () => {
    expect(() => new Host({ inspect: throwing }).start().send(CANCEL)).toThrow("the viewer is broken");
  });

  it("leaves the actor alone when the callback is wrapped", async () => {
    const host = new Host({ inspect: guarded(throwing) }).start().send({ type: "admitted" });
    await host.end("prepare", { outcome: "ready" });
    expect(host.send(GRANTED).at).toBe("running.generating");
    expect(host.send(CANCEL).output).toMatchObject({ state: "cancelled" });
  });
});

describe("stopping an actor", () => {
  it("tells nobody and has no output; a cancel is an event and has both (M2)", async () => {
    const [stopped, cancelled] = [await hostAt("running.generating"), await hostAt("running.generating")];
    const told = stopped.snapshots.length;
    stopped.actor.stop();
    expect([stopped.snapshot.status, stopped.output, stopped.snapshots.length]).toEqual([
      "stopped",
      undefined,
      told,
    ]);
    cancelled.send(CANCEL);
    expect(cancelled.snapshots.at(-1)).toMatchObject({ status: "done", output: { state: "cancelled" } });
    expect(cancelled.snapshots.at(-1)?.hasTag("holds_lease")).toBe(false);
  });

  it("would run no exit action, so the machine has none", () => {
    expect(allStates().filter((node) => node.exit.length > 0)).toEqual([]);
  });

  it("is not how effects end: leaving a state aborts them at once (M5)", async () => {
    const host = await hostAt("running.generating");
    const effect = host.inFlight;
    host.send(CANCEL);
    expect(effect?.signal.aborted).toBe(true);
    expect(effect?.signal.reason).toMatchObject({ name: "AbortError" });
  });

  it("an event after the end is dropped with no error and changes nothing", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const host = await hostAt("done");
    const { snapshot } = host;
    expect(() => host.send(mail(1), CANCEL)).not.toThrow();
    expect(host.snapshot).toBe(snapshot);
    warn.mockRestore();
  });
});

describe("an effect that was left", () => {
  it.each(["answers", "breaks"])(
    "and %s late is not heard, neither by the same state entered again (M5)",
    async (how) => {
      const host = await hostAt("running.generating");
      const left = host.inFlight;
      host.send({ type: "preempted" }, GRANTED);
      const { snapshot } = host;
      if (how === "answers") left?.resolve({ outcome: "answered" });
      else left?.reject(new Error("aborted"));
      expect(await quiet()).toEqual([]);
      expect(host.snapshot).toBe(snapshot);
      await host.end("generate", { outcome: "answered" });
      expect(host.at).toBe("done");
    },
  );

  it("does not stay among the snapshot's children", async () => {
    const host = await hostAt("running.generating");
    for (let turn = 0; turn < 5; turn += 1) {
      await host.end("generate", { outcome: "called_tools" });
      await host.end("callTools", { outcome: "called", waits: [] });
      host.send(GRANTED);
    }
    expect(Object.keys(host.snapshot.children)).toEqual(["0.agent.running.generating"]);
    await host.end("generate", { outcome: "answered" });
    expect(Object.keys(host.snapshot.children)).toEqual([]);
  });
});

describe("an error", () => {
  const invokes = allStates().flatMap((node) => node.invoke);

  it("of any effect has a transition of its own", () => {
    expect(invokes.length).toBe(4);
    const handled = allStates().flatMap((node) => [...node.transitions.keys()]);
    for (const { id } of invokes) expect(handled).toContain(`xstate.error.actor.${id}`);
  });

  it("of an effect reaches no observer and not the process, though one observer has no `error`", async () => {
    const host = await hostAt("running.generating");
    host.actor.subscribe(() => {});
    await host.break("generate", new Error("a defect"));
    expect(await quiet()).toEqual([]);
    expect([host.snapshot.status, host.errors]).toEqual(["done", []]);
  });

  it("that a provided action throws breaks the actor: who provides one catches, and observes `error`", async () => {
    const broken = agentMachine.provide({
      actions: {
        requestLease: () => {
          throw new Error("queue_full");
        },
      },
    });
    const errors: unknown[] = [];
    const persisted = (await hostAt("running.calling_tools")).actor.getPersistedSnapshot() as AgentSnapshot;
    const input = { taskId: "task_1", kind: "task", maxTurns: 1, generationTries: 1, retryLimit: 0 } as const;
    const actor = createActor(broken, {
      input,
      snapshot: { ...persisted, value: { running: "backing_off" }, children: {} } as never,
    });
    actor.subscribe({ error: (error) => errors.push(error) });
    actor.start().send({ type: "retry.due" });
    expect(actor.getSnapshot().status).toBe("error");
    expect(errors).toEqual([new Error("queue_full")]);
    expect(await quiet()).toEqual([]);
  });

  it("of a child needs XState 5.33 to stop its siblings; the version is pinned exactly", () => {
    const [, major, minor] = /^(\d+)\.(\d+)\.\d+$/.exec(manifest.dependencies.xstate) ?? [];
    expect(major).toBe("5");
    expect(Number(minor)).toBeGreaterThanOrEqual(33);
  });
});

describe("a restored actor", () => {
  const stored = (host: Host): string => JSON.stringify(host.actor.getPersistedSnapshot());
  const restored = (text: string): Host => new Host({ snapshot: JSON.parse(text) }).start();

  it("has no timers, so the machine has none", () => {
    expect(allStates().filter((node) => node.after.length > 0 || "after" in node.config)).toEqual([]);
  });

  it.each(stagesOf("task"))(
    "is in %s where the original was, and its effect runs again with the same input",
    async (stage) => {
      const host = await hostAt(stage);
      const twin = restored(stored(host));
      expect([twin.at, twin.tags, twin.output]).toEqual([host.at, host.tags, host.output]);
      expect([twin.inFlight?.name, twin.inFlight?.input]).toEqual([
        host.inFlight?.name,
        host.inFlight?.input,
      ]);
      expect([twin.leaseRequests, twin.retries], "entry actions are its host's to repeat").toEqual([[], []]);
      expect(stored(twin)).toBe(stored(host));
    },
  );

  it.each(["running.generating", "steering"] as const)(
    "that held a lease in %s asks for a new one and starts nothing, when it is pre-empted before its start",
    async (stage) => {
      const waiting = new Host({ snapshot: JSON.parse(stored(await hostAt(stage))) });
      const [next] = transition(agentMachine, waiting.snapshot, { type: "preempted" });
      const twin = new Host({
        snapshot: JSON.parse(JSON.stringify(agentMachine.getPersistedSnapshot(next))),
      }).start();
      expect([twin.at, twin.context.ticket, twin.effects]).toEqual(["running.waiting_slot", "front", []]);
      expect(twin.send(GRANTED).context.turn).toBe(1);
    },
  );

  it("shares nothing with another that is restored from the same text", async () => {
    const text = stored(await hostAt("running.waiting_children for a call"));
    const [one, other] = [restored(text), restored(text)];
    one.send({ type: "wait.ended", callId: "a", end: { cause: "satisfied" } });
    expect(stored(other)).toBe(text);
  });

  it("cannot be of a state that the machine no longer has: a stored version tells which it knows", async () => {
    const persisted = JSON.parse(stored(await hostAt("running.waiting_slot"))) as AgentSnapshot;
    const unknown = { ...persisted, value: { running: "meditating" } };
    const host = new Host({ snapshot: unknown });
    expect(host.snapshot.status).toBe("error");
    expect(Number.isInteger(AGENT_MACHINE_VERSION)).toBe(true);
  });

  it("keeps its children by name: each stored effect is one that the machine declares", async () => {
    const host = await hostAt("running.calling_tools");
    const { children } = JSON.parse(stored(host)) as { children: Record<string, { src: unknown }> };
    expect(Object.values(children).map((child) => child.src)).toEqual(["callTools"]);
  });
});

describe("the sources that may use XState", () => {
  const files = ["machines", "src/runtime"].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".ts"))
      .map((name) => `${folder}/${name}`),
  );

  it.each([
    ["wait for an actor that may have stopped", /\b(waitFor|toPromise)\(/],
    ["nest actors under one parent, which is quadratic", /\b(spawnChild|stopChild|spawn)\(/],
    [
      "call action creators inside functions, where they do nothing",
      /\b(enqueueActions|sendTo|sendParent|raise)\(/,
    ],
    ["name an actor in the system, where a second of the name breaks the first", /\bsystemId\b/],
    ["use what XState 5 has deprecated", /\b(interpret|devTools|getInitialSnapshot|getNextSnapshot)\(/],
  ])("do not %s", (_, pattern) => {
    const found = files.filter((file) =>
      pattern.test(readFileSync(file, "utf8").replaceAll(/\/\/.*$/gm, "")),
    );
    expect(files.length).toBeGreaterThan(0);
    expect(found).toEqual([]);
  });
});
