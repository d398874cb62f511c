// Waits of the agent machine: calls that suspended, what ends them, what interrupts them, and the wait of a task that
// has answered for the children that have not.

import { describe, expect, it } from "vitest";
import type { PendingWait } from "../../machines/agent.ts";
import type { WaitEnd } from "../../src/core/tool.ts";
import { failed, Host, mail, suspendedOn, type HostOptions } from "./host.ts";
import { hostAt } from "./stages.ts";

const GRANTED = { type: "lease.granted" } as const;
const CALLED = { outcome: "called", waits: [] } as const;
const SATISFIED: WaitEnd = { cause: "satisfied" };
const ended = (callId: string, end: WaitEnd = SATISFIED) => ({ type: "wait.ended", callId, end }) as const;
const children = (live: number) => ({ type: "children.changed", live }) as const;

async function waiting(waits: readonly PendingWait[], options: HostOptions = {}): Promise<Host> {
  const host = await hostAt("running.calling_tools", options);
  return host.end("callTools", { outcome: "called", waits });
}

const ends = (host: Host): readonly (string | undefined)[] =>
  host.context.waits.map((each) => each.end?.cause);

describe("a call that waits for children", () => {
  it("goes on when its wait has ended, and the next lease is asked for as one that resumes", async () => {
    const host = await waiting([suspendedOn("a", "children")]);
    expect(host.at).toBe("running.waiting_children");
    host.send(ended("a", { cause: "timeout" }));
    expect(host.inFlight?.input).toEqual({
      taskId: "task_1",
      turn: 1,
      waits: [{ ...suspendedOn("a", "children"), end: { cause: "timeout" } }],
    });
    await host.end("callTools", CALLED);
    expect(host.leaseRequests).toEqual(["normal", "resuming"]);
    expect(host.context.waits).toEqual([]);
    expect(host.send(GRANTED).context).toMatchObject({ turn: 2, ticket: "normal" });
  });

  it("may suspend again", async () => {
    const host = await waiting([suspendedOn("a", "children")]);
    await host.send(ended("a")).end("callTools", { outcome: "called", waits: [suspendedOn("a", "timer")] });
    expect(host.at).toBe("running.waiting_children");
    expect(ends(host)).toEqual([undefined]);
  });

  it("among several goes on when the last has ended; each keeps its own end, and only the first", async () => {
    const host = await waiting([suspendedOn("a", "children"), suspendedOn("b", "timer")]);
    host.send(ended("a"), ended("a", { cause: "timeout" }), ended("z"));
    expect(host.at).toBe("running.waiting_children");
    expect(ends(host)).toEqual(["satisfied", undefined]);
    host.send(ended("b", { cause: "timeout" }));
    expect(host.at).toBe("running.calling_tools");
    expect(ends(host)).toEqual(["satisfied", "timeout"]);
  });

  it("that fails the run when it goes on leaves no wait to the next run, which asks for a lease as any does", async () => {
    const host = await waiting([suspendedOn("a", "children")], { retryLimit: 1 });
    await host.send(ended("a")).end("callTools", failed({ retryable: true }));
    expect(host.context).toMatchObject({ run: 2, waits: [] });
    expect(host.send({ type: "retry.due" }).leaseRequests).toEqual(["normal", "normal"]);
  });

  it("M4 is not ended by a child's completion, which the next turn folds in", async () => {
    const host = await waiting([suspendedOn("a", "children")]);
    host.send(children(1), mail(1));
    expect(host.at).toBe("running.waiting_children");
    host.send(children(0));
    expect(host.at).toBe("running.waiting_children");
    await host.send(ended("a")).end("callTools", CALLED);
    expect(host.send(GRANTED).at).toBe("steering");
  });
});

describe("an interrupting steer to a task", () => {
  it("ends the waits that are open, and leaves the ended ones as they ended", async () => {
    const host = await waiting([suspendedOn("a", "children"), suspendedOn("b", "children")]);
    host.send(ended("a"), mail(1, { interrupt: true }));
    expect(host.at).toBe("running.calling_tools");
    expect(ends(host)).toEqual(["satisfied", "interrupted"]);
    await host.end("callTools", CALLED);
    expect(host.leaseRequests).toEqual(["normal", "resuming"]);
    expect(host.send(GRANTED).at).toBe("steering");
  });

  it("M4 that came before the wait began ends it at once", async () => {
    const host = await hostAt("running.calling_tools");
    host.send(mail(1, { interrupt: true }));
    await host.end("callTools", { outcome: "called", waits: [suspendedOn("a", "children")] });
    expect(host.at).toBe("running.calling_tools");
    expect(ends(host)).toEqual(["interrupted"]);
  });

  it("that a commit has taken ends no later wait", async () => {
    const host = await hostAt("running.calling_tools");
    host.send(mail(1, { interrupt: true }), { type: "mail.taken", position: 1 });
    await host.end("callTools", { outcome: "called", waits: [suspendedOn("a", "children")] });
    expect(host.at).toBe("running.waiting_children");
  });

  it("is not needed for a person's word to be heard later: it does not end a task's wait", async () => {
    const host = await waiting([suspendedOn("a", "children")]);
    expect(host.send(mail(1, { person: true })).at).toBe("running.waiting_children");
  });
});

describe("a person who speaks to a session", () => {
  it("ends its wait for children, so that a child never blocks the conversation", async () => {
    const host = await waiting([suspendedOn("a", "children")], { kind: "session" });
    host.send(mail(2, { person: true }));
    expect(host.at).toBe("running.calling_tools");
    expect(ends(host)).toEqual(["interrupted"]);
    await host.end("callTools", CALLED);
    expect(host.leaseRequests).toEqual(["normal", "normal"]);
    expect(host.send(GRANTED).at).toBe("steering");
  });

  it.each(["running.generating", "running.calling_tools"] as const)(
    "in %s, before the wait began, ends it at once",
    async (stage) => {
      const host = await hostAt(stage, { kind: "session" });
      host.send(mail(2, { person: true }));
      if (stage === "running.generating") await host.end("generate", { outcome: "called_tools" });
      await host.end("callTools", { outcome: "called", waits: [suspendedOn("a", "children")] });
      expect(host.at).toBe("running.calling_tools");
      expect(ends(host)).toEqual(["interrupted"]);
    },
  );
});

describe("a call that asks a person", () => {
  it("goes on with the answer", async () => {
    const host = await waiting([suspendedOn("a", "input")]);
    expect(host.at).toBe("running.waiting_input");
    host.send(ended("a", { cause: "satisfied", answer: "The second." }));
    expect(host.at).toBe("running.calling_tools");
    expect(host.context.waits[0]?.end).toEqual({ cause: "satisfied", answer: "The second." });
  });

  it.each(["task", "session"] as const)(
    "stays open in a %s while others speak or interrupt",
    async (kind) => {
      const host = await waiting([suspendedOn("a", "input")], { kind });
      host.send(mail(2), mail(3, { interrupt: true }), mail(4, { interrupt: true, person: true }));
      expect(host.at).toBe("running.waiting_input");
      expect(ends(host)).toEqual([undefined]);
    },
  );

  it("beside a call for children keeps both open, and hands over to the children once answered", async () => {
    const host = await waiting([suspendedOn("a", "input"), suspendedOn("b", "children")]);
    host.send(mail(1, { interrupt: false }));
    expect(host.at).toBe("running.waiting_input");
    host.send(ended("a", { cause: "satisfied", answer: "Yes." }));
    expect(host.at).toBe("running.waiting_children");
    expect(host.send(ended("b")).at).toBe("running.calling_tools");
  });

  it("beside a call for children that was interrupted lets that one go once it is answered", async () => {
    const host = await waiting([suspendedOn("a", "input"), suspendedOn("b", "children")]);
    host.send(mail(1, { interrupt: true }));
    expect(ends(host)).toEqual([undefined, undefined]);
    host.send(ended("a", { cause: "timeout" }));
    expect(host.at).toBe("running.calling_tools");
    expect(ends(host)).toEqual(["timeout", "interrupted"]);
  });

  it("does not renew the turns of a task", async () => {
    const host = await waiting([suspendedOn("a", "input")], { maxTurns: 1 });
    await host.send(ended("a", { cause: "satisfied", answer: "Yes." })).end("callTools", CALLED);
    expect(host.output).toMatchObject({ failure: { code: "max_turns" } });
  });
});

describe("a task that has answered", () => {
  const answered = (options: HostOptions = {}): Promise<Host> =>
    hostAt("running.waiting_children after its answer", options);

  it("waits for its children, reads what each brings, and is done when none is left", async () => {
    const host = await answered();
    host.send(children(2), mail(1), children(1));
    expect(host.at).toBe("running.waiting_slot");
    expect(host.leaseRequests).toEqual(["normal", "resuming"]);
    host.send(GRANTED, { type: "mail.taken", position: 1 });
    await host.end("foldMail", { outcome: "folded" });
    await host.end("generate", { outcome: "answered" });
    expect(host.at).toBe("running.waiting_children");
    expect(host.send(children(0)).at).toBe("done");
  });

  it("M4 reads the last completion before it is done", async () => {
    const host = await answered();
    host.send(mail(1), children(0));
    expect(host.at).toBe("running.waiting_slot");
    host.send(GRANTED, { type: "mail.taken", position: 1 });
    await host.end("foldMail", { outcome: "folded" });
    await host.end("generate", { outcome: "answered" });
    expect(host.at).toBe("done");
  });

  it("keeps what it answered when a child's completion needs a turn that it does not have", async () => {
    const host = await answered({ maxTurns: 1 });
    expect(host.send(mail(1)).at).toBe("running.waiting_children");
    expect(host.send(mail(2), children(0)).at).toBe("done");
  });
});
