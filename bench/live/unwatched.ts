// What it costs a task's actor that it could be watched, while nobody watches: the same lives of actors with and without.

import { fromPromise } from "xstate";
import { agentMachine, type PrepareOutput } from "../../machines/agent.ts";
import { SimulatedClock } from "../../src/base/clock.ts";
import { silentLogger } from "../../src/base/log.ts";
import { Dormitory } from "../../src/runtime/dormitory.ts";
import { type Enrolment, Inspection, UNWATCHED } from "../../src/runtime/inspection.ts";
import { TaskActor } from "../../src/runtime/task-actor.ts";
import { specimen } from "../../test/store/specimens.ts";
import { compare, type ContenderResult } from "../harness.ts";

export interface UnwatchedOptions {
  readonly actors: number;
  readonly rounds: number;
}

/** Milliseconds for so many actors from their birth to their end. */
export async function unwatched({ actors, rounds }: UnwatchedOptions): Promise<readonly ContenderResult[]> {
  const clock = new SimulatedClock();
  const inspection = new Inspection({ clock, logger: silentLogger });
  const contenders = [
    { name: "no inspection", run: () => live(actors, UNWATCHED) },
    { name: "inspection that nobody watches", run: () => live(actors, inspection) },
  ];
  const results = await compare(contenders, { rounds, warmup: 5 });
  if (inspection.actors().length > 0) throw new Error("An actor that ended is still enrolled.");
  return results;
}

const machine = agentMachine.provide({
  actors: { prepare: fromPromise(() => new Promise<PrepareOutput>(() => {})) },
});

function live(actors: number, inspection: Enrolment): void {
  const dormitory = new Dormitory(new SimulatedClock());
  const host = { turn: { reroutes: [] }, follow: () => {}, show: () => {}, defect: () => {} };
  for (let at = 0; at < actors; at += 1) {
    const spec = specimen(`task_${at}`);
    const actor = new TaskActor({ spec, services: { machine, dormitory, inspection }, ...host });
    actor.send({ type: "mail.arrived", position: 1, interrupt: false, person: false });
    actor.sleep();
    actor.send({ type: "admitted" });
    actor.stop();
  }
  dormitory.close();
}
