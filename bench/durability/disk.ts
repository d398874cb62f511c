// What stays on the disk: a chatty task beside the text that it is made of, and a steady load whose ended trees are
// removed, at once and twice as long.

import { systemClock } from "../../src/base/clock.ts";
import type { Message } from "../../src/core/message.ts";
import type { Toolset } from "../../src/core/tool.ts";
import type { Store } from "../../src/store/store.ts";
import { call, say } from "../../providers/script.ts";
import { benchRig } from "../rig.ts";
import { diskBytes, openStore, withDatabase } from "./files.ts";
import { atMost, exact, type Part } from "./part.ts";

const MIB = 1_048_576;
const SLOTS = 8;
const NOTE_CHARS = 200;

/** As plain as words are, and no two alike. */
function words(seed: number, chars: number): string {
  let text = "";
  for (let at = 0; text.length < chars; at += 1)
    text += `${((seed + 1) * 7_919 + at * 104_729).toString(36)} `;
  return text.slice(0, chars);
}

const notes: Toolset = {
  name: "notes",
  description: "Keeps notes.",
  tools: () => [
    {
      definition: {
        name: "note",
        description: "Keeps a note.",
        parameters: { type: "object", properties: { text: { type: "string" } } },
      },
      repeatable: true,
      run: async ({ text }) => ({ type: "result", value: `noted: ${String(text)}` }),
    },
  ],
};

/** What somebody wrote or answered, without the forms around it. */
function textBytes({ parts }: Message): number {
  const texts = parts.map((part) => {
    if (part.type === "tool_call") return part.call.name + JSON.stringify(part.call.arguments);
    return part.text;
  });
  return Buffer.byteLength(texts.join(""));
}

async function transcriptBytes(store: Store, taskId: string): Promise<{ rows: number; bytes: number }> {
  let [rows, bytes, after] = [0, 0, 0];
  for (;;) {
    const page = await store.transcript(taskId, { after, limit: 500 });
    for (const row of page) bytes += textBytes(row.message);
    rows += page.length;
    after = page.at(-1)?.index ?? after;
    if (page.length < 500) return { rows, bytes };
  }
}

interface Chatty {
  readonly textBytes: number;
  readonly fileBytes: number;
  readonly problems: readonly string[];
}

/** One task of so many turns, each with 2 kB of words and a call of a tool. */
function chatty(turns: number): Promise<Chatty> {
  return withDatabase(async (path) => {
    const empty = await emptyBytes();
    const store = openStore(path, "normal");
    const rig = benchRig({
      slots: 1,
      store,
      toolsets: [notes],
      reply: ({ messages }) => {
        const turn = messages.filter(({ role }) => role === "assistant").length + 1;
        const answer = say(words(turn, 2_000));
        return turn < turns ? [answer, call("note", { text: words(-turn, NOTE_CHARS) })] : [answer];
      },
      settings: {
        delegation: {
          maxConcurrentChildren: 3,
          maxSpawnDepth: 1,
          onInterrupt: "continue",
          defaultToolsets: ["notes"],
        },
      },
    });
    const { taskId } = await rig.api.delegate({ goal: "Talk.", maxTurns: turns + 1 });
    const { state } = await rig.api.collect(taskId);
    const { rows, bytes } = await transcriptBytes(store, taskId);
    await rig.close();
    // A system row, a goal, and for each turn the answer and what its tool said, but for the last.
    const expected = 2 * turns - 1;
    const isExact = state === "done" && rows >= expected && rows <= expected + 2;
    return {
      textBytes: bytes,
      fileBytes: diskBytes(path) - empty,
      problems: isExact ? [] : [`${state} after ${rows} rows for ${turns} turns`],
    };
  });
}

function emptyBytes(): Promise<number> {
  return withDatabase(async (path) => {
    await openStore(path, "normal").close();
    return diskBytes(path);
  });
}

interface Steady {
  /** On the disk after each wave, log included. */
  readonly sizes: readonly number[];
  readonly problems: readonly string[];
}

const WAVE = 200;

/** Waves of tasks; each is read, and the one before it removed. */
function steady(waves: number): Promise<Steady> {
  return withDatabase(async (path) => {
    const store = openStore(path, "normal");
    const rig = benchRig({ reply: () => [say(words(1, 2_000))], slots: SLOTS, store });
    const sizes: number[] = [];
    let removed = 0;
    for (let wave = 0; wave < waves; wave += 1) {
      const endedBefore = systemClock.now();
      const ids = [];
      for (let at = 0; at < WAVE; at += 1)
        ids.push((await rig.api.delegate({ goal: `wave ${wave}, task ${at}` })).taskId);
      await Promise.all(ids.map((id) => rig.api.collect(id)));
      removed += (await store.prune({ endedBefore })).tasks;
      sizes.push(diskBytes(path));
    }
    const { done } = await store.counts();
    await rig.close();
    const isExact = removed + done === waves * WAVE && done <= 2 * WAVE;
    return { sizes, problems: isExact ? [] : [`${removed} removed and ${done} kept of ${waves * WAVE}`] };
  });
}

/** Growth of the file. */
export async function diskPart(quick: boolean): Promise<Part> {
  const turns = quick ? 300 : 1_000;
  const once = quick ? 6 : 20;
  const talk = await chatty(turns);
  const load = await steady(2 * once);
  const share = talk.fileBytes / talk.textBytes;
  const [half = Number.NaN, whole = Number.NaN] = [load.sizes[once - 1], load.sizes.at(-1)];
  const mib = (bytes: number): string => (bytes / MIB).toFixed(2);
  return {
    claims: [
      atMost(`a task of ${turns} turns with 2 kB answers and tool calls: file over text`, share, 1.5),
      atMost(
        `steady load with retention: file after ${2 * once} waves over the file after ${once}`,
        whole / half,
        1.2,
      ),
    ],
    checks: [
      exact("the whole conversation is in the file; what was removed and what is kept make up the load", [
        ...talk.problems,
        ...load.problems,
      ]),
    ],
    lines: [
      `chatty: ${mib(talk.fileBytes)} MiB on disk for ${mib(talk.textBytes)} MiB of text`,
      `steady, ${WAVE} tasks a wave: ${load.sizes.map(mib).join(", ")} MiB, log included`,
    ],
    figures: { disk: { talk: { turns, ...talk }, load } },
    notMeasured: ["disk: several conversations at once, which leave parts of pages free"],
  };
}
