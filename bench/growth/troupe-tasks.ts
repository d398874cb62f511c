// One life of many tasks in Troupe: spawned while nobody is admitted, all looked at, half of them cancelled one by one,
// the other half run to their end. Live tasks are what grows; each operation goes through the API.

import { systemClock } from "../../src/base/clock.ts";
import { hang, say } from "../../providers/script.ts";
import { textOf } from "../../src/core/message.ts";
import { benchRig, type BenchRig } from "../rig.ts";

/** Milliseconds for `size` tasks; halves are doubled. `problems` is empty for an exact run. */
export interface OpCosts {
  readonly spawn: number;
  readonly status: number;
  readonly cancel: number;
  readonly finish: number;
  readonly problems: readonly string[];
}

/** Whose children the tasks are. */
export type Shape = "roots" | "children of one parent";

const PARENT = "stay";
const SLOTS = 8;

const since = (start: number): number => systemClock.monotonic() - start;

export async function troupeCosts(shape: Shape, size: number): Promise<OpCosts> {
  const rig = benchRig({
    slots: SLOTS,
    maxChildren: SLOTS,
    // The parent writes for ever, so that its children's ends wait in its inbox, as they do while a model works.
    reply: ({ messages }) => (messages.some((each) => textOf(each) === PARENT) ? [hang()] : [say("done")]),
  });
  const { api } = rig;
  const parent =
    shape === "roots" ? null : (await api.delegate({ goal: PARENT, role: "orchestrator" })).taskId;
  await api.pause(true);
  globalThis.gc?.();
  const ids: string[] = [];
  let start = systemClock.monotonic();
  for (let at = 0; at < size; at += 1) {
    const { taskId } = await api.delegate({
      goal: `task ${at}`,
      ...(parent !== null && { parentId: parent }),
    });
    ids.push(taskId);
  }
  const spawn = since(start);
  await coolDown(rig, ids[0] as string);
  start = systemClock.monotonic();
  for (const id of ids) await api.check(id);
  const status = since(start);
  const [cancelled, finished] = [ids.slice(0, size / 2), ids.slice(size / 2)];
  start = systemClock.monotonic();
  for (const id of cancelled) await api.cancel(id);
  await Promise.all(cancelled.map((id) => api.collect(id)));
  const cancel = since(start);
  const all = Promise.all(finished.map((id) => api.collect(id)));
  start = systemClock.monotonic();
  await api.pause(false);
  await all;
  const finish = since(start);
  const problems = await problemsOf(rig, { parent, size });
  await rig.close();
  return { spawn, status, cancel: cancel * 2, finish: finish * 2, problems };
}

/** Larger than the caches of the processors that we have seen. */
const ELSEWHERE = new Float64Array((64 * 1024 * 1024) / 8);
const WARM_CALLS = 50;

/**
 * Leaves every task's memory cold and the code warm: a look takes microseconds, people and models look seconds apart,
 * and a hundred tasks would otherwise be measured in a cache that ten thousand do not fit into.
 */
async function coolDown({ api }: BenchRig, taskId: string): Promise<void> {
  for (let at = 0; at < ELSEWHERE.length; at += 8) ELSEWHERE[at] = (ELSEWHERE[at] as number) + 1;
  for (let calls = 0; calls < WARM_CALLS; calls += 1) await api.check(taskId);
}

/** Every task ended exactly once, half of them cancelled and half done, and nothing is held but by the parent. */
async function problemsOf(
  { store, runtime }: BenchRig,
  { parent, size }: { readonly parent: string | null; readonly size: number },
): Promise<readonly string[]> {
  const counts = await store.counts();
  const held = runtime.counts();
  const keeps = parent === null ? 0 : 1;
  const problems: string[] = [];
  if (counts.done !== size / 2 || counts.cancelled !== size / 2 || counts.failed !== 0)
    problems.push(`${JSON.stringify(counts)} for ${size} tasks`);
  if (held.living !== keeps || held.leases !== keeps || held.waiting !== 0)
    problems.push(`left: ${JSON.stringify(held)}`);
  if (parent !== null) {
    const mail = await store.inbox(parent, 0);
    const told = new Set(mail.map(({ message }) => message.id));
    if (mail.length !== size || told.size !== size)
      problems.push(`${mail.length} completions for ${size} children`);
  }
  return problems;
}
