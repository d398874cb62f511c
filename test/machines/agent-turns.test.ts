// Turns of the agent machine over several steps: mail and its positions, interrupts, pre-emption, retries and the
// allowance of turns.

import { describe, expect, it } from "vitest";
import { failed, Host, mail, type HostOptions } from "./host.ts";
import { hostAt } from "./stages.ts";

const GRANTED = { type: "lease.granted" } as const;
const PREEMPTED = { type: "preempted" } as const;
const RETRY = { type: "retry.due" } as const;
const FOLDED = { outcome: "folded" } as const;
const CALLED = { outcome: "called", waits: [] } as const;
const taken = (position: number) => ({ type: "mail.taken", position }) as const;

const generating = (options: HostOptions = {}): Promise<Host> => hostAt("running.generating", options);

describe("a turn", () => {
  it("goes from the lease over the model's calls to the next turn, which asks for a lease of its own", async () => {
    const host = await generating();
    expect(host.context.turn).toBe(1);
    await host.end("generate", { outcome: "called_tools" });
    expect(host.inFlight?.input).toEqual({ taskId: "task_1", turn: 1, waits: [] });
    await host.end("callTools", CALLED);
    expect(host.leaseRequests).toEqual(["normal", "normal"]);
    host.send(GRANTED);
    expect(host.context.turn).toBe(2);
    expect(host.inFlight?.input).toEqual({ taskId: "task_1", turn: 2, run: 1, tries: 0 });
    await host.end("generate", { outcome: "answered" });
    expect(host.at).toBe("done");
  });

  it("M3 asks for no lease when no turn is left, and fails as max_turns", async () => {
    const host = await generating({ maxTurns: 1 });
    await host.end("generate", { outcome: "called_tools" });
    await host.end("callTools", CALLED);
    expect(host.output).toMatchObject({ state: "failed", failure: { code: "max_turns", retryable: false } });
    expect(host.leaseRequests).toHaveLength(1);
  });

  it("emits what the model writes, and only while it generates", async () => {
    const host = await generating();
    const delta = (text: string) => ({ type: "delta", channel: "text", text }) as const;
    host.send(delta("He"), delta("llo"), PREEMPTED, delta("lost"), GRANTED, delta("again"));
    host.send({ type: "delta", channel: "thinking", text: "hm" });
    expect(host.deltas.map((each) => [each.channel, each.text])).toEqual([
      ["text", "He"],
      ["text", "llo"],
      ["text", "again"],
      ["thinking", "hm"],
    ]);
    await host.end("generate", { outcome: "called_tools" });
    host.send(delta("late"));
    expect(host.deltas).toHaveLength(4);
  });
});

describe("mail", () => {
  it("that waits when the lease comes is folded in before the model goes on, on the same lease", async () => {
    const host = await hostAt("running.waiting_slot");
    host.send(mail(1), GRANTED);
    expect(host.at).toBe("steering");
    expect(host.tags).toContain("holds_lease");
    expect(host.inFlight?.input).toEqual({ taskId: "task_1", turn: 1, run: 1 });
    host.send(taken(1));
    await host.end("foldMail", FOLDED);
    expect(host.at).toBe("running.generating");
    expect(host.context).toMatchObject({ turn: 1, mailSeen: 1, mailTaken: 1 });
  });

  it("M4 that comes while the model writes begins another turn after the answer", async () => {
    const host = await generating();
    host.send(mail(1));
    expect(host.at).toBe("running.generating");
    await host.end("generate", { outcome: "answered" });
    expect(host.at).toBe("running.waiting_slot");
    host.send(GRANTED, taken(1));
    await host.end("foldMail", FOLDED);
    await host.end("generate", { outcome: "answered" });
    expect(host.at).toBe("done");
  });

  it("M4 that comes during a fold is folded in before the model goes on, an interrupting one too", async () => {
    const host = await hostAt("steering");
    host.send(mail(2, { interrupt: true }), taken(1));
    await host.end("foldMail", FOLDED);
    expect(host.at).toBe("steering");
    expect(host.inFlight?.input).toEqual({ taskId: "task_1", turn: 1, run: 1 });
    host.send(taken(2));
    await host.end("foldMail", FOLDED);
    expect(host.at).toBe("running.generating");
    expect(host.effects.map((each) => each.name)).toEqual(["prepare", "foldMail", "foldMail", "generate"]);
  });

  it("M4 that a fold took with what it knew of begins no turn of its own", async () => {
    const host = await hostAt("steering");
    host.send(mail(2), taken(2));
    await host.end("foldMail", FOLDED);
    expect(host.at).toBe("running.generating");
    await host.end("generate", { outcome: "answered" });
    expect(host.at).toBe("done");
  });

  it("M4 that a fold left untaken is not folded for ever, and begins the next turn", async () => {
    const host = await hostAt("steering");
    await host.end("foldMail", FOLDED);
    expect(host.at).toBe("running.generating");
    await host.end("generate", { outcome: "answered" });
    expect(host.at).toBe("running.waiting_slot");
  });

  it("M4 counts as seen once it is taken, though its announcement comes late", async () => {
    const host = await generating();
    host.send(taken(3), mail(3, { interrupt: true }), mail(2, { interrupt: true }));
    expect(host.at).toBe("running.generating");
    expect(host.context).toMatchObject({ mailSeen: 3, mailTaken: 3 });
  });

  it("never moves a position back", async () => {
    const host = await hostAt("running.waiting_slot");
    host.send(mail(4), taken(4), mail(2), taken(1));
    expect(host.context).toMatchObject({ mailSeen: 4, mailTaken: 4 });
  });
});

describe("an interrupt", () => {
  it("aborts the generation, keeps the lease all the way, and begins a turn that is not charged", async () => {
    const host = await generating({ maxTurns: 1 });
    const generation = host.inFlight;
    const from = host.snapshots.length;
    host.send(mail(1, { interrupt: true }), taken(1));
    expect(generation?.signal.aborted).toBe(true);
    await host.end("foldMail", FOLDED);
    expect(host.at).toBe("running.generating");
    expect(host.snapshots.slice(from).every((each) => each.hasTag("holds_lease"))).toBe(true);
    expect(host.leaseRequests).toEqual(["normal"]);
    expect(host.context).toMatchObject({ turn: 2, turnsUsed: 1 });
  });

  it("waits for the turn's end while tools run", async () => {
    const host = await hostAt("running.calling_tools");
    host.send(mail(1, { interrupt: true }));
    expect(host.at).toBe("running.calling_tools");
    await host.end("callTools", CALLED);
    host.send(GRANTED);
    expect(host.at).toBe("steering");
  });
});

describe("a pre-emption", () => {
  it("gives the lease back and asks again in front, in the same turn and without using a try", async () => {
    const host = await generating({ maxTurns: 1 });
    const generation = host.inFlight;
    host.send(PREEMPTED);
    expect(generation?.signal.aborted).toBe(true);
    expect(host.leaseRequests).toEqual(["normal", "front"]);
    host.send(GRANTED);
    expect(host.at).toBe("running.generating");
    expect(host.context).toMatchObject({ turn: 1, turnsUsed: 1, tries: 0, ticket: "normal" });
  });

  it("during a fold gives the lease back too; the fold's commit may still be told", async () => {
    const host = await hostAt("steering");
    const fold = host.inFlight;
    host.send(PREEMPTED, taken(1));
    expect(fold?.signal.aborted).toBe(true);
    expect(host.at).toBe("running.waiting_slot");
    host.send(GRANTED);
    expect(host.at).toBe("running.generating");
    expect(host.context.turn).toBe(1);
  });
});

describe("a try that fails", () => {
  it("is repeated in the same turn until the tries are used up", async () => {
    const host = await generating({ generationTries: 3 });
    const transient = failed({ transient: true, retryInMs: 250 });
    await host.end("generate", transient);
    expect(host.at).toBe("running.backing_off");
    await host.send(RETRY, GRANTED).end("generate", transient);
    host.send(RETRY, GRANTED);
    expect(host.inFlight?.input).toMatchObject({ turn: 1, run: 1, tries: 2 });
    await host.end("generate", transient);
    expect(host.output).toMatchObject({ state: "failed", failure: { code: "overloaded" } });
    expect(host.retries).toEqual([250, 250]);
  });

  it("costs nothing where others hold what it needs, however often and whenever", async () => {
    const heldUp = { ...failed({ transient: true, retryInMs: 5 }), heldUp: true };
    const host = await generating({ generationTries: 2 });
    const tries = [];
    for (const output of [heldUp, heldUp, failed({ transient: true }), heldUp, failed()]) {
      tries.push(host.context.tries);
      await host.end("generate", output);
      host.send(RETRY, GRANTED);
    }
    expect([tries, host.at]).toEqual([[0, 0, 0, 1, 1], "failed"]);
  });

  it("and that another model takes asks for a lease there, in the same turn and with all its tries", async () => {
    const host = await generating({ generationTries: 2 });
    await host.end("generate", failed({ transient: true }));
    await host.send(RETRY, GRANTED).end("generate", { outcome: "rerouted" });
    expect([host.at, host.leaseRequests]).toEqual(["running.waiting_slot", ["normal", "normal", "normal"]]);
    host.send(GRANTED);
    expect(host.inFlight?.input).toMatchObject({ turn: 1, run: 1, tries: 0 });
  });

  it("and that a stronger model makes again begins another run, though none was left", async () => {
    const host = await generating();
    await host.end("generate", { ...failed({ retryInMs: 5 }), stepsUp: true });
    expect([host.at, host.context.run, host.retries]).toEqual(["running.backing_off", 2, [5]]);
  });

  it("and that a stronger model makes again leaves all its further runs", async () => {
    const host = await generating({ retryLimit: 1 });
    await host.end("generate", { ...failed({ retryable: true }), stepsUp: true });
    await host.send(RETRY, GRANTED).end("generate", failed({ retryable: true }));
    expect([host.at, host.context.run]).toEqual(["running.backing_off", 3]);
    await host.send(RETRY, GRANTED).end("generate", failed({ retryable: true }));
    expect(host.at).toBe("failed");
  });

  it("leaves no mark on the next turn", async () => {
    const host = await generating({ generationTries: 2 });
    await host.end("generate", failed({ transient: true }));
    await host.send(RETRY, GRANTED).end("generate", { outcome: "called_tools" });
    await host.end("callTools", CALLED);
    await host.send(GRANTED).end("generate", failed({ transient: true }));
    expect(host.at).toBe("running.backing_off");
  });

  it("of a preparation is repeated in spawned, and does not count against the first generation", async () => {
    const host = await hostAt("spawned.starting", { generationTries: 2 });
    await host.end("prepare", failed({ transient: true, retryInMs: 40 }));
    expect([host.at, host.retries]).toEqual(["spawned.backing_off", [40]]);
    await host.send(RETRY).end("prepare", { outcome: "ready" });
    host.send(GRANTED);
    expect(host.inFlight?.input).toMatchObject({ tries: 0, run: 1 });
  });
});

describe("a run that fails", () => {
  const retryable = failed({ retryable: true, retryInMs: 500 });

  it.each(["spawned.starting", "running.generating", "running.calling_tools"] as const)(
    "in %s begins again while further runs are allowed, then ends the task",
    async (stage) => {
      const host = await hostAt(stage, { retryLimit: 1 });
      const effect = host.inFlight?.name ?? "generate";
      await host.end(effect, retryable);
      expect(host.at.endsWith("backing_off")).toBe(true);
      expect(host.context).toMatchObject({ run: 2, turnsUsed: 0, tries: 0, turnOpen: false, waits: [] });
      host.send(RETRY, GRANTED);
      await host.end(host.inFlight?.name ?? effect, retryable);
      expect(host.output).toMatchObject({ state: "failed", failure: { code: "overloaded" } });
      expect(host.retries).toEqual([500]);
    },
  );

  it("has all its turns and tries again, while turns are counted on", async () => {
    const host = await generating({ retryLimit: 1, maxTurns: 1, generationTries: 2 });
    await host.end("generate", failed({ transient: true, retryable: true }));
    await host.send(RETRY, GRANTED).end("generate", failed({ transient: true, retryable: true }));
    expect(host.context.run).toBe(2);
    host.send(RETRY, GRANTED);
    expect(host.inFlight?.input).toMatchObject({ run: 2, turn: 2, tries: 0 });
  });

  it("is not repeated when the failure would only come again", async () => {
    const host = await generating({ retryLimit: 5 });
    await host.end("generate", failed());
    expect(host.at).toBe("failed");
  });
});
