import { describe, expect, test } from "vitest";
import type { AgentEvent } from "../../machines/agent.ts";
import { MailDesk } from "../../src/runtime/mail-desk.ts";
import type { InboxMessage } from "../../src/store/store.ts";
import { completion, question, steer } from "./specimens.ts";

interface Rest {
  readonly knows?: readonly string[];
  readonly quiet?: readonly string[];
  readonly waits?: boolean;
  /** Its last try was none: its server is away. */
  readonly held?: boolean;
}

const AWAY = { code: "server_away", message: "Away.", retryable: false };

function make(rest: Rest = {}) {
  const told: string[] = [];
  const sent: AgentEvent[] = [];
  const desk = new MailDesk({
    journal: {
      event: (...events) => void told.push(...events.map(({ type }) => type)),
      flush: async () => void told.push("flush"),
    },
    mailbox: {
      knows: (id) => rest.knows?.includes(id) ?? false,
      isQuiet: (id) => rest.quiet?.includes(id) ?? false,
      isRecorded: () => false,
    },
    leases: { hurry: () => void told.push("hurry") },
    turn: { lastFailure: rest.held === true ? AWAY : null },
    words: { state: "running", phase: "backing_off" },
    pauses: { hurry: () => void told.push("pause over"), check: () => void told.push("check waits") },
    ending: false,
    cancel: (reason, force) => void told.push(`cancel ${reason} ${force}`),
    answerWait: () => rest.waits ?? false,
    send: (event) => void sent.push(event),
  });
  let position = 0;
  const open = (message: InboxMessage): void =>
    desk.announce({
      taskId: "task_1",
      position: ++position,
      time: 0,
      message,
      state: "queued",
      turn: null,
      reason: null,
    });
  return { desk, open, told, sent };
}

const ANSWER: InboxMessage = { kind: "answer", id: "n", from: "person:ann", text: "yes" };

describe("MailDesk", () => {
  test("records a steer, hurries for a person, and tells the machine", () => {
    const it = make();
    it.open(steer("s", { interrupt: true }));
    it.open(steer("t", { from: "agent:task_9" }));
    expect(it.sent).toEqual([
      { type: "mail.arrived", position: 1, interrupt: true, person: true },
      { type: "mail.arrived", position: 2, interrupt: false, person: false },
    ]);
    expect(it.told).toEqual(["steer.queued", "hurry", "flush", "steer.queued", "flush"]);
  });

  test("ends the wait for a server that is away, for a person and for whoever interrupts", () => {
    const it = make({ held: true });
    it.open(steer("s", { from: "agent:task_9", interrupt: true }));
    it.open(steer("t", { from: "agent:task_9" }));
    it.open(steer("u"));
    expect(it.told.filter((word) => word === "pause over")).toHaveLength(2);
  });

  test("K2 a completion that was hushed, or that a result has told, begins no turn", () => {
    const it = make({ knows: ["task_3"], quiet: ["task_2"] });
    for (const id of ["task_2", "task_3", "task_4"]) it.open(completion(id));
    expect(it.sent).toEqual([{ type: "mail.arrived", position: 3, interrupt: false, person: false }]);
  });

  test("K2, K3 a child's question looks after the waits for children, unless nobody is to hear of that child", () => {
    const it = make({ knows: ["task_3"], quiet: ["task_2"] });
    for (const id of ["task_2", "task_3", "task_4"]) it.open(question(id));
    expect(it.sent).toEqual([{ type: "mail.arrived", position: 3, interrupt: false, person: false }]);
    expect(it.told).toEqual(["check waits", "flush"]);
  });

  test("an answer ends the wait that it answers, else it is mail like any other", () => {
    const [waiting, idle] = [make({ waits: true }), make()];
    waiting.open(ANSWER);
    idle.open(ANSWER);
    expect([waiting.sent, idle.sent.length]).toEqual([[], 1]);
  });

  test("K1 a cancel is carried out, and is no news to the machine", () => {
    const it = make();
    it.open({ kind: "cancel", id: "c", from: "x", reason: "why", force: true });
    expect([it.sent, it.told]).toEqual([[], ["cancel why true"]]);
  });
});
