import { beforeEach, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import type { InspectionFrame, InspectionSource } from "../../src/core/inspection.ts";
import { InspectionTalks } from "../../src/http/inspection-talk.ts";
import type { Line } from "../../src/http/socket-session.ts";
import { HARD_BYTES } from "../../src/http/socket-words.ts";

class TestLine implements Line {
  readonly signal = new AbortController().signal;
  readonly sent: unknown[] = [];
  backlog = 0;
  code: number | null = null;

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  waiting(): number {
    return this.backlog;
  }

  close(code: number): void {
    this.code = code;
  }

  fail(): void {}

  get kinds(): readonly unknown[] {
    return this.sent.flat().map((each) => (each as { readonly type: string }).type);
  }
}

let watchers: ((frame: InspectionFrame) => void)[];
let clock: SimulatedClock;
let talks: InspectionTalks;
const actor = (actorId: string): InspectionFrame => ({
  kind: "actor",
  actorId,
  parentId: null,
  machine: "agent",
  state: { status: "active", value: "spawned" },
  time: 0,
});
const happen = (actorId: string): void => {
  for (const see of watchers) see({ kind: "event", actorId, sourceId: null, event: "x", time: 0 });
};
beforeEach(() => {
  watchers = [];
  clock = new SimulatedClock();
  const source: InspectionSource = {
    machines: () => [{ machine: "agent", version: 1, config: "{}" }],
    actors: () => [actor("a"), actor("b")],
    watch: (see) => {
      watchers.push(see);
      return () => watchers.splice(watchers.indexOf(see), 1);
    },
  };
  talks = new InspectionTalks(source, clock);
});

it("J2 gives a client the machines, the actors, and then what happens", async () => {
  const line = new TestLine();
  talks.begin(line);
  happen("a");
  happen("b");
  await clock.advance(25);
  expect(line.kinds).toEqual([
    "welcome",
    "machine",
    "@xstate.actor",
    "@xstate.actor",
    "@xstate.event",
    "@xstate.event",
  ]);
  expect(line.sent).toHaveLength(4);
});

it("J1 watches once for all, and only while somebody is there", async () => {
  const lines = [new TestLine(), new TestLine()];
  const open = lines.map((line) => talks.begin(line));
  expect(watchers).toHaveLength(1);
  open[0]?.over();
  expect(watchers).toHaveLength(1);
  happen("a");
  open[1]?.over();
  expect(watchers).toHaveLength(0);
  await clock.advance(100);
  expect(lines[0]?.kinds).not.toContain("@xstate.event");
});

it("J2 gives who comes in the middle of a batch nothing of what was before", async () => {
  const [early, late] = [new TestLine(), new TestLine()];
  talks.begin(early);
  happen("a");
  talks.begin(late);
  happen("b");
  await clock.advance(25);
  const count = (line: TestLine): number => line.kinds.filter((kind) => kind === "@xstate.event").length;
  expect([count(early), count(late)]).toEqual([2, 1]);
});

it("J2 closes a client that cannot keep up, and nobody else notices", async () => {
  const [slow, quick] = [new TestLine(), new TestLine()];
  for (const line of [slow, quick]) talks.begin(line);
  slow.backlog = HARD_BYTES + 1;
  happen("a");
  await clock.advance(25);
  expect([slow.code, quick.code, quick.kinds.at(-1)]).toEqual([4408, null, "@xstate.event"]);
});

it("sends what is much at once, and takes no orders", () => {
  const line = new TestLine();
  const talk = talks.begin(line);
  for (let turn = 0; turn < 2_000; turn += 1) happen("a");
  expect(line.kinds.filter((kind) => kind === "@xstate.event")).toHaveLength(2_000);
  expect(talk.heard({ type: "watch", deltas: [] })).toBe(false);
});
