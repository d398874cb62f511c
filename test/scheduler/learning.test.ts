// Learnt caps at the gates: who is let in by what generations taught.

import { describe, expect, it } from "vitest";
import type { BackendCaps, GenerationSample } from "../../src/scheduler/scheduler.ts";
import { lanes } from "../../src/scheduler/view.ts";
import { sampleOf, type ServerShape } from "./busy-server.ts";
import { admission, Desk } from "./desk.ts";

const AUTO = { slots: 1, autoSlots: { most: 8 }, maxChildren: 100 } satisfies Partial<BackendCaps>;
const TASKS = 20;

/** Many tasks that ask again as soon as their generation has ended, on a server by formula. */
class Crowd {
  readonly desk: Desk;
  readonly #profile: string;
  readonly #inFlight = new Map<string, number>();
  readonly #queue: string[] = [];

  constructor(desk: Desk, profile = "") {
    this.desk = desk;
    this.#profile = profile;
    for (let index = 0; index < TASKS; index += 1) {
      const request = admission(`${profile}task${index}`, { profile });
      this.#note({ type: "admit", request });
    }
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  run(generations: number, shape: Partial<ServerShape> = {}): this {
    for (let count = 0; count < generations; count += 1) {
      const taskId = this.#queue.shift() as string;
      const inFlight = this.#inFlight.get(taskId) as number;
      this.#inFlight.delete(taskId);
      const figures = sampleOf(shape, inFlight);
      this.desk.now += figures.totalMs / inFlight;
      const sample: GenerationSample = {
        ...figures,
        taskId,
        backend: "local",
        profile: this.#profile,
        parentId: "parent",
      };
      this.#note({ type: "release", leaseId: this.desk.leaseOf(taskId) });
      this.#note({ type: "observe", sample });
      this.#ask(taskId);
    }
    return this;
  }

  #note(command: Parameters<Desk["signals"]>[0]): void {
    for (const signal of this.desk.signals(command)) {
      if (signal.type === "admitted") this.#ask(signal.taskId);
      if (signal.type !== "granted") continue;
      this.#inFlight.set(signal.lease.taskId, signal.lease.inFlight);
      this.#queue.push(signal.lease.taskId);
    }
  }

  #ask(taskId: string): void {
    this.#note({ type: "request_lease", request: { taskId, class: "background" } });
  }
}

function laneOf(desk: Desk, profile = "") {
  return lanes(desk.state, desk.now).find((lane) => lane.profile === profile);
}

describe("slots that are found", () => {
  it("begin with the guess, and say that it is one", () => {
    const crowd = new Crowd(new Desk(AUTO));
    expect(crowd.inFlight).toBe(1);
    expect(laneOf(crowd.desk)).toMatchObject({
      slots: 1,
      slotsAuto: true,
      slotsReason: "1: a first guess, until some generations have been measured",
    });
  });

  it("let in as many as the server runs at once, and say why no more", () => {
    const crowd = new Crowd(new Desk(AUTO)).run(300, { parallel: 4 });
    while (laneOf(crowd.desk)?.slotsReason?.includes("trying")) crowd.run(1, { parallel: 4 });
    expect(laneOf(crowd.desk)).toMatchObject({
      slots: 4,
      slotsReason: "4: the server runs no more at once; the fifth would wait there",
    });
  });

  it("are each profile's own", () => {
    const desk = new Desk(AUTO);
    const single = new Crowd(desk, "m").run(100, { parallel: 1 });
    const wide = new Crowd(desk, "n").run(100, { parallel: 8 });
    expect([single.inFlight, wide.inFlight]).toEqual([1, 8]);
  });

  it("revoke nothing when they fall (S1)", () => {
    const crowd = new Crowd(new Desk({ ...AUTO, slots: 8 }));
    crowd.run(1, { outcome: "busy" });
    expect(laneOf(crowd.desk)?.slots).toBe(6);
    // The freed slot was given on before the failure was told.
    expect(crowd.inFlight).toBe(8);
    crowd.run(2);
    expect(crowd.inFlight).toBe(6);
  });

  it("stay pinned where a number is given, and are pinned again by new caps", () => {
    const pinned = new Crowd(new Desk({ ...AUTO, slots: 2 }));
    pinned.desk.backend({ slots: 2, maxChildren: 100 });
    expect(pinned.run(100, { parallel: 8 }).inFlight).toBe(2);
    expect(laneOf(pinned.desk)).toMatchObject({ slots: 2, slotsAuto: false, slotsReason: null });
  });

  it("are kept by caps that are set again, under a new bound", () => {
    const crowd = new Crowd(new Desk(AUTO)).run(200, { parallel: 8 });
    crowd.desk.backend(AUTO);
    expect(laneOf(crowd.desk)?.slots).toBe(8);
    crowd.desk.backend({ ...AUTO, autoSlots: { most: 3 } });
    expect(laneOf(crowd.desk)?.slots).toBe(3);
  });

  it("learn nothing from a backend or a profile that is not known", () => {
    const desk = new Desk(AUTO);
    const sample = { ...sampleOf({}, 1), parentId: null };
    expect(desk.run({ type: "observe", sample: { ...sample, backend: "other", profile: "" } })).toEqual([]);
    expect(desk.run({ type: "observe", sample: { ...sample, backend: "local", profile: "m" } })).toEqual([]);
  });
});

describe("children that are found", () => {
  it("are never fewer than the slots", () => {
    const desk = new Desk({ ...AUTO, maxChildren: 2, autoChildren: { most: 16 } });
    const crowd = new Crowd(desk).run(300, { parallel: 8 });
    expect(crowd.inFlight).toBe(8);
    expect(laneOf(desk)?.maxChildren).toBeGreaterThanOrEqual(8);
  });

  it("are fixed where a number is given", () => {
    const desk = new Desk({ ...AUTO, maxChildren: 2 });
    const crowd = new Crowd(desk).run(300, { parallel: 8 });
    expect(crowd.inFlight).toBe(2);
    expect(laneOf(desk)?.maxChildren).toBe(2);
  });
});
