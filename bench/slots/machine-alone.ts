// What a task costs that is a declared machine and nothing else: the agent machine, started when it is admitted, with a
// stub for its generation and a count of free slots. No store, no events, no transcript, no scheduler, no provider. It is
// the bound of the bench `slots`: whatever runs a task as this machine cannot hand a slot on sooner.

import { createActor, fromPromise } from "xstate";
import {
  agentMachine,
  type AgentActorRef,
  type GenerateOutput,
  type PrepareOutput,
} from "../../machines/agent.ts";

const LIMITS = { maxTurns: 50, generationTries: 5, retryLimit: 0 } as const;

export interface MachinesOptions {
  readonly tasks: number;
  readonly cap: number;
  /** One generation. */
  readonly work: () => Promise<void>;
}

/** Resolves with how many tasks ended `done`, once all have ended. */
export async function runMachines({ tasks, cap, work }: MachinesOptions): Promise<number> {
  const actors = new Map<string, AgentActorRef>();
  const queue: AgentActorRef[] = [];
  const holders = new Set<string>();
  const over = Promise.withResolvers<void>();
  let [begun, done, free] = [0, 0, cap];
  const grant = (): void => {
    while (free > 0 && queue.length > 0) {
      const next = queue.shift() as AgentActorRef;
      free -= 1;
      // As a scheduler does it: after the call that freed the slot has returned.
      queueMicrotask(() => {
        next.send({ type: "lease.granted" });
        holders.add(next.id);
      });
    }
  };
  const machine = agentMachine.provide({
    actors: {
      prepare: fromPromise(async (): Promise<PrepareOutput> => ({ outcome: "ready" })),
      generate: fromPromise(async (): Promise<GenerateOutput> => {
        await work();
        return { outcome: "answered" };
      }),
    },
    actions: {
      requestLease: ({ context }) => {
        queue.push(actors.get(context.taskId) as AgentActorRef);
        grant();
      },
      keepOutcome: () => {},
    },
  });
  const admit = (): void => {
    if (begun === tasks) return;
    const taskId = `task_${begun++}`;
    const actor = createActor(machine, { id: taskId, input: { taskId, kind: "task", ...LIMITS } });
    actors.set(taskId, actor);
    actor.subscribe((snapshot) => {
      if (!snapshot.hasTag("holds_lease") && holders.delete(taskId)) {
        free += 1;
        grant();
      }
      if (snapshot.status !== "done") return;
      if (snapshot.output?.state === "done") done += 1;
      actors.delete(taskId);
      if (actors.size === 0 && begun === tasks) over.resolve();
      else admit();
    });
    actor.start();
    actor.send({ type: "admitted" });
  };
  // One more than slots: who is next stands ready.
  for (let at = 0; at <= cap; at += 1) admit();
  await over.promise;
  return done;
}
