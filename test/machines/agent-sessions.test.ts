// Sessions of the agent machine: a conversation listens first, outlives a failed answer, is stopped by /stop and
// ended by its closing, and counts its turns between two words of a person.

import { describe, expect, it } from "vitest";
import { failed, Host, mail, suspendedOn, type HostOptions } from "./host.ts";
import { hostAt, stagesOf, stateOf, type Stage } from "./stages.ts";

const GRANTED = { type: "lease.granted" } as const;
const STOP = { type: "stop" } as const;
const CALLED = { outcome: "called", waits: [] } as const;
const taken = (position: number) => ({ type: "mail.taken", position }) as const;
const said = (position: number) => mail(position, { person: true });

const session = (stage: Stage, options: HostOptions = {}): Promise<Host> =>
  hostAt(stage, { kind: "session", ...options });

/** One turn that calls tools, from the lease to the calls' end. */
async function turnWithCalls(host: Host): Promise<void> {
  await host.send(GRANTED).end("generate", { outcome: "called_tools" });
  await host.end("callTools", CALLED);
}

/** One turn that answers, after what was said up to `position` is folded in. */
async function answer(host: Host, position: number): Promise<void> {
  await host.send(GRANTED, taken(position)).end("foldMail", { outcome: "folded" });
  await host.end("generate", { outcome: "answered" });
}

describe("a session", () => {
  it("listens first, and begins its first turn when a person has spoken", async () => {
    const host = await session("running.waiting_input for a message");
    expect(host.leaseRequests).toEqual([]);
    host.send(said(1));
    expect(host.at).toBe("running.waiting_slot");
    await answer(host, 1);
    expect(host.at).toBe("running.waiting_input");
  });

  it("M4 answers what was said before it was ready", async () => {
    const host = new Host({ kind: "session" }).start().send(said(1), { type: "admitted" });
    await host.end("prepare", { outcome: "ready" });
    expect(host.at).toBe("running.waiting_slot");
  });

  it("M4 answers what was said while it wrote, in another turn", async () => {
    const host = await session("running.generating");
    host.send(said(2));
    await host.end("generate", { outcome: "answered" });
    expect(host.at).toBe("running.waiting_slot");
  });

  it("hears its children's completions while it listens", async () => {
    const host = await session("running.waiting_input for a message");
    expect(host.send({ type: "children.changed", live: 0 }, mail(1)).at).toBe("running.waiting_slot");
  });

  it.each(["running.generating", "running.calling_tools"] as const)(
    "outlives a failure in %s that no try is left for, and has one run",
    async (stage) => {
      const host = await session(stage, { retryLimit: 3 });
      await host.end(host.inFlight?.name ?? "generate", failed({ retryable: true }));
      expect(host.at).toBe("running.waiting_input");
      expect(host.context).toMatchObject({ run: 1, turnOpen: false, waits: [] });
      expect(host.send(said(2)).at).toBe("running.waiting_slot");
    },
  );

  it("listens on when mail cannot be folded in, and begins no turn for it before the person speaks again", async () => {
    const host = await session("steering");
    await host.end("foldMail", failed());
    expect(host.at).toBe("running.waiting_input");
    const { mailSeen } = host.context;
    host.send(said(mailSeen + 1));
    expect(host.at).toBe("running.waiting_slot");
  });
});

describe("/stop", () => {
  const stages = stagesOf("session").filter((stage) => !["done", "cancelled", "failed"].includes(stage));

  it.each(stages.filter((stage) => !stage.startsWith("spawned")))(
    "in %s aborts what the session does, and it listens",
    async (stage) => {
      const host = await session(stage);
      host.send(STOP);
      expect(host.at).toBe("running.waiting_input");
      expect(host.inFlight).toBeUndefined();
      expect(host.context).toMatchObject({ turnOpen: false, tries: 0, waits: [] });
    },
  );

  it.each(stages.filter((stage) => stage.startsWith("spawned")))(
    "in %s lets it become ready, and then it listens",
    async (stage) => {
      const host = await session(stage);
      host.send(said(1), STOP);
      expect(host.at).toBe(stateOf(stage));
      host.send({ type: "admitted" }, { type: "retry.due" });
      await host.end("prepare", { outcome: "ready" });
      expect(host.at).toBe("running.waiting_input");
    },
  );

  it("M4 holds what was said before it: the next message begins a turn that folds in both", async () => {
    const host = await session("running.generating");
    host.send(said(2), STOP);
    expect(host.at).toBe("running.waiting_input");
    expect(host.context).toMatchObject({ mailSeen: 2, mailTaken: 1 });
    host.send(said(3));
    expect(host.at).toBe("running.waiting_slot");
    await answer(host, 3);
    expect(host.at).toBe("running.waiting_input");
    expect(host.context).toMatchObject({ mailSeen: 3, mailTaken: 3 });
  });

  it("in the middle of a fold lets its commit be told, and begins nothing", async () => {
    const host = await session("steering");
    host.send(STOP, taken(1));
    expect(host.at).toBe("running.waiting_input");
    expect(host.context.mailTaken).toBe(1);
  });

  it("is nothing to a task", async () => {
    const host = await hostAt("running.generating");
    expect(host.send(STOP).at).toBe("running.generating");
  });
});

describe("the turns of a session", () => {
  it("are told to be used up without a lease being asked for, and the session listens", async () => {
    const host = await session("running.calling_tools", { maxTurns: 1 });
    await host.end("callTools", CALLED);
    expect(host.at).toBe("running.waiting_input");
    expect([host.outOfTurnsReports, host.leaseRequests.length]).toEqual([1, 1]);
  });

  it("are renewed by a person's message", async () => {
    const host = await session("running.calling_tools", { maxTurns: 1 });
    await host.end("callTools", CALLED);
    host.send(said(2));
    expect(host.at).toBe("running.waiting_slot");
    await answer(host, 2);
    expect(host.context.turnsUsed).toBe(1);
  });

  it("are renewed by a person's message in the middle of a chain of turns", async () => {
    const host = await session("running.calling_tools", { maxTurns: 2 });
    await host.end("callTools", CALLED);
    host.send(GRANTED, said(2));
    await host.end("generate", { outcome: "called_tools" });
    await host.end("callTools", CALLED);
    expect([host.at, host.outOfTurnsReports]).toEqual(["running.waiting_slot", 0]);
  });

  it("are renewed by a person's answer to a question, and not by another end of a wait", async () => {
    for (const [wait, end, expected] of [
      ["input", { cause: "satisfied", answer: "Yes." }, "running.waiting_slot"],
      ["input", { cause: "timeout" }, "running.waiting_input"],
      ["children", { cause: "satisfied" }, "running.waiting_input"],
    ] as const) {
      const host = await session("running.calling_tools", { maxTurns: 1 });
      await host.end("callTools", { outcome: "called", waits: [suspendedOn("a", wait)] });
      await host.send({ type: "wait.ended", callId: "a", end }).end("callTools", CALLED);
      expect(host.at).toBe(expected);
    }
  });

  it("M4 are not renewed by its children: their mail waits for the person, and each time is told", async () => {
    const host = await session("running.waiting_input for a message", { maxTurns: 2 });
    host.send(said(1));
    await answer(host, 1);
    host.send(mail(2));
    await answer(host, 2);
    host.send(mail(3), mail(4));
    expect([host.at, host.outOfTurnsReports]).toEqual(["running.waiting_input", 2]);
    host.send(said(5));
    expect(host.at).toBe("running.waiting_slot");
    await answer(host, 5);
    expect(host.context).toMatchObject({ mailTaken: 5, turnsUsed: 1 });
  });

  it("run out in a chain of calls, not before", async () => {
    const host = await session("running.calling_tools", { maxTurns: 3 });
    await host.end("callTools", CALLED);
    await turnWithCalls(host);
    await turnWithCalls(host);
    expect([host.at, host.context.turn]).toEqual(["running.waiting_input", 3]);
  });
});
