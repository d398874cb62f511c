// What a process holds when everything in it has ended: 10,000 tasks of a durable server, and the children of one
// conversation with short or long transcripts. Each runs in a process of its own, which `child.ts` starts.

import { delay, systemClock } from "../../src/base/clock.ts";
import type { Toolset } from "../../src/core/tool.ts";
import { textOf } from "../../src/core/message.ts";
import { call, say } from "../../providers/script.ts";
import { benchRig, type BenchRig } from "../rig.ts";
import type { Troupe } from "../../src/compose.ts";
import { openStore, withDatabase } from "./files.ts";
import { wholeServer } from "./whole-server.ts";

export interface Held {
  readonly rssBytes: number;
  /** The heap with what lies outside of it. */
  readonly heapBytes: number;
  readonly problems: readonly string[];
}

/** Asked at once; a whole server's tasks come over a day. */
const WAVE = 250;
const SLOTS = 8;
const SUMMARY = "Nothing has changed since spring. ".repeat(30);

/**
 * V8 keeps pages that it has emptied, tens of megabytes of them, until 8 s without a collection have passed, and then
 * some. A collection of this flavour gives them back, as one does when memory runs short.
 */
type Collect = (options: {
  readonly type: "major";
  readonly execution: "sync";
  readonly flavor: "last-resort";
}) => void;

async function memory(problems: readonly string[]): Promise<Held> {
  const collect = globalThis.gc as Collect | undefined;
  if (!collect) throw new Error("Expected --expose-gc: run `npm run bench -- durability`.");
  for (let round = 0; round < 4; round += 1) {
    // What a job has looked at through weak references lives until the job is over.
    await delay(systemClock, 200);
    collect({ type: "major", execution: "sync", flavor: "last-resort" });
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rssBytes: rss, heapBytes: heapUsed + external, problems };
}

async function delegateAll(
  { api }: Pick<BenchRig, "api">,
  goals: readonly string[],
  parentId?: string,
): Promise<void> {
  for (let from = 0; from < goals.length; from += WAVE) {
    const wave = goals.slice(from, from + WAVE);
    const ids = [];
    for (const goal of wave) {
      const { taskId } = await api.delegate({
        goal,
        ...(parentId !== undefined && { parentId, maxTurns: PAGES + 2, toolsets: ["pages"] }),
      });
      ids.push(taskId);
    }
    await Promise.all(ids.map((id) => api.collect(id)));
  }
}

/** A whole server that has finished and handed out so many tasks. */
export function finishedTasks(size: number): Promise<Held> {
  return withDatabase(async (path) => {
    const troupe = await wholeServer({ path, slots: SLOTS, answer: SUMMARY });
    await delegateAll(
      troupe,
      Array.from({ length: size }, (_, at) => `task ${at}: ${SUMMARY}`),
    );
    const { living } = troupe.runtime.counts();
    const held = await memory([]);
    // Counted after the reading: the list would be in it.
    const done = await countDone(troupe);
    const problems =
      done === size && living === 0 ? [] : [`${done} done, ${living} living, for ${size} tasks`];
    return { ...held, problems };
  });
}

async function countDone({ api }: Pick<Troupe, "api">): Promise<number> {
  let done = 0;
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await api.list({ state: "done", limit: 200, ...(cursor !== undefined && { cursor }) });
    done += page.items.length;
    cursor = page.nextCursor;
  }
  return done;
}

/** Pages that a child reads, one a turn. */
const PAGES = 48;
const CHILDREN = 20;

function pages(chars: number): Toolset {
  return {
    name: "pages",
    description: "Reads.",
    tools: () => [
      {
        definition: {
          name: "page",
          description: "Reads a page.",
          parameters: { type: "object", properties: { nth: { type: "number" } } },
        },
        repeatable: true,
        run: async ({ nth }) => ({ type: "result", value: `${String(nth)} `.repeat(chars).slice(0, chars) }),
      },
    ],
  };
}

/** A conversation whose children have ended, with so many characters in the transcript of each. */
export function endedChildren(transcriptChars: number): Promise<Held> {
  return withDatabase(async (path) => {
    const store = openStore(path, "normal");
    const rig = benchRig({
      slots: SLOTS,
      store,
      reply: ({ messages }) => {
        const read = messages.filter(({ role }) => role === "tool").length;
        const isChild = messages.some((message) => textOf(message).startsWith("read"));
        return isChild && read < PAGES ? [call("page", { nth: read })] : [say(SUMMARY)];
      },
      toolsets: [pages(Math.floor(transcriptChars / PAGES))],
      settings: {
        delegation: {
          maxConcurrentChildren: CHILDREN,
          maxSpawnDepth: 1,
          onInterrupt: "continue",
          defaultToolsets: ["pages"],
        },
      },
    });
    const session = await rig.api.createSession({ toolsets: ["delegation", "pages"] });
    await delegateAll(
      rig,
      Array.from({ length: CHILDREN }, (_, at) => `read ${at}`),
      session.taskId,
    );
    // Each child's end is a turn of the conversation.
    const told = async (): Promise<number> =>
      (await store.inbox(session.taskId, 0)).filter(({ state }) => state === "delivered").length;
    const deadline = systemClock.monotonic() + 60_000;
    while ((await told()) < CHILDREN && systemClock.monotonic() < deadline) await delay(systemClock, 20);
    const problems: string[] = [];
    const { done } = await store.counts();
    if (done !== CHILDREN || (await told()) !== CHILDREN)
      problems.push(`${done} done and ${await told()} told for ${CHILDREN} children`);
    return memory(problems);
  });
}
