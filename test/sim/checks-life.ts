// What must hold of the life of each task: it is never lost, ends once, acts never after, and is taken up again as its
// policy says.

import { ENDS, type Book } from "./book.ts";
import type { Check } from "./check.ts";
import type { FactOf } from "./facts.ts";
import { CANCEL_DEADLINE_MS, TIMEOUT_MS } from "./settings.ts";
import type { ModelTask } from "./model.ts";

/** Longer than a session's generation or tool may take by its own deadline. */
const SESSION_MS = 30_000;

/** The parent that a task must not outlive; `undefined` for a root and for a detached one. */
function keeperOf(task: ModelTask | undefined, book: Book): ModelTask | undefined {
  const parentId = task?.spec.detached === true ? null : (task?.spec.parentId ?? null);
  return parentId === null ? undefined : book.task(parentId);
}

function acts({ kind, taskId }: FactOf<"generation.began" | "tool.began">, book: Book): string | null {
  const task = book.task(taskId);
  if (!task) return null;
  if (task.end) return `${kind} for ${taskId}, which is ${task.state}`;
  const keeper = keeperOf(task, book);
  if (keeper?.end && book.side(keeper.spec.id).endHeard) {
    return `${kind} for ${taskId}, whose parent ${keeper.spec.id} is ${keeper.state}`;
  }
  return null;
}

function resumesInOrder({ taskId }: FactOf<"generation.began">, book: Book): string | null {
  const task = book.task(taskId);
  const side = book.side(taskId);
  if (!task || side.interrupted !== "live" || side.resumed > 0 || task.spec.kind === "session") return null;
  return `${taskId} acts in life ${book.life} before it was recorded that it is taken up again`;
}

export const LIFE_CHECKS: readonly Check[] = [
  {
    id: "I1",
    name: "no acknowledged task is lost",
    means: "A task whose spawn was acknowledged is in the store, at every restart and at the end.",
    on: {
      returned: ({ call, answer }, book) => {
        if (!["delegate", "session", "repeat"].includes(call.name)) return null;
        const { taskId } = answer as { taskId: string };
        return book.task(taskId) ? null : `${taskId} was acknowledged, and is not in the store`;
      },
    },
    rest: (rest, book) => {
      const lost = [...book.promises.acknowledged].find((id) => !rest.tasks.has(id));
      return lost === undefined ? null : `${lost} was acknowledged, and is gone`;
    },
  },
  {
    id: "I2",
    name: "one end",
    means:
      "Each task has exactly one terminal event, in the commit of its end, and nothing follows but its release.",
    on: {
      committed: ({ taskId, write }) => {
        const ends = (write.events ?? []).filter(({ type }) => ENDS.has(type)).length;
        if (ends === (write.terminal ? 1 : 0)) return null;
        return `${taskId} commits ${write.terminal ? "its end" : "no end"} with ${ends} events of one`;
      },
    },
    rest: ({ tasks }, { endings }) => {
      for (const [id, { record }] of tasks) {
        const [end, ...after] = endings.get(id) ?? [];
        if (!record.end || end !== `task.${record.state}`)
          return `${id} is ${record.state}, and showed ${end}`;
        if (after.some((type) => type !== "task.released")) return `${id} has ${after.join()} after its end`;
      }
      return null;
    },
  },
  {
    id: "I2",
    name: "nothing acts after the end",
    means: "No generation and no tool run begins for a task that has ended, or whose parent has (I10).",
    on: { "generation.began": acts, "tool.began": acts },
  },
  {
    id: "I5",
    name: "stale writers are fenced",
    means: "A write of an earlier life that comes late is refused.",
    on: {
      "late.write": ({ life, taskId, epoch }) =>
        `life ${life} is over, and its write of epoch ${epoch} to ${taskId} was made`,
      refused: ({ call, taskId, code }) =>
        call === "commit" && code === "invalid_write" ? `a commit to ${taskId} was no valid write` : null,
    },
  },
  {
    id: "I10",
    name: "children end before their parent",
    means: "A task that ends in order has no living children, but for detached ones.",
    on: {
      committed: ({ taskId, write }, book) => {
        if (!write.terminal || write.releasedAt === undefined) return null;
        const alive = book.task(taskId)?.children.find((childId) => {
          const child = book.task(childId);
          return child && !child.end && !child.spec.detached && book.side(childId).admitted;
        });
        return alive === undefined ? null : `${taskId} ends, and its child ${alive} lives`;
      },
    },
  },
  {
    id: "I12",
    name: "the end comes after the stop",
    means: "Whoever is said to be released has no generation and no tool run in flight.",
    on: {
      committed: ({ taskId, write }, book) => {
        const { generations, tools } = book.side(taskId);
        if (!write.terminal || write.releasedAt === undefined || generations + tools === 0) return null;
        return `${taskId} is released with ${generations} generations and ${tools} tools in flight`;
      },
      marked: ({ taskId }, book) => {
        const { generations, tools } = book.side(taskId);
        return generations + tools === 0 ? null : `${taskId} is marked released, and still acts`;
      },
    },
  },
  {
    id: "I12",
    name: "timeouts are real",
    means: "No generation lasts longer than the active time of its task and the deadline to let go.",
    step: (_, book) => {
      for (const [taskId, side] of book.sides) {
        if (side.generations === 0) continue;
        const kind = book.task(taskId)?.spec.kind ?? "session";
        const most = kind === "session" ? SESSION_MS : TIMEOUT_MS + CANCEL_DEADLINE_MS + SESSION_MS / 10;
        if (book.now - side.since > most) return `${taskId} has generated for ${book.now - side.since} ms`;
      }
      return null;
    },
  },
  {
    id: "I21",
    name: "taken up again as declared",
    means:
      "A task at work when the server died goes on only after that is recorded, once a life, as its policy says.",
    on: {
      "generation.began": resumesInOrder,
      committed: ({ taskId, write }, book) => {
        const event = (write.events ?? []).find(({ type }) => type === "task.resumed");
        const task = book.task(taskId);
        if (!event || !task) return null;
        const side = book.side(taskId);
        if (side.resumed > 0) return `${taskId} is taken up twice in life ${book.life}`;
        if (side.interrupted === "no") return `${taskId} is taken up, and was not interrupted`;
        const { policy } = event.data as { policy: string };
        const declared = task.spec.kind === "session" ? "resume" : task.spec.limits.onRestart;
        return policy === declared ? null : `${taskId} is taken up by ${policy}, and declared ${declared}`;
      },
    },
  },
];
