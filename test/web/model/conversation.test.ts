// Transcripts of a real conversation as the page reads them.

import { beforeAll, describe, expect, it } from "vitest";
import { call, say } from "../../../providers/script.ts";
import type { TranscriptRow } from "../../../src/core/message.ts";
import { toWire, type Wire } from "../../../src/core/wire.ts";
import { entriesOf, entriesUntil, inputWords, type Entry } from "../../../web/model/conversation.js";
import { converse } from "../../runtime/conversation.ts";

let entries: readonly Entry[];
let children: readonly string[];
beforeAll(async () => {
  const talk = await converse(() => [say("gold")]);
  await talk.ask(call("delegate_task_async", { goal: "dig" }), call("check_task", { task_id: "task_0" }));
  await talk.pass(1_000);
  children = await talk.children();
  entries = entriesOf(toWire((await talk.api.transcript(talk.sessionId)).items) as Wire<TranscriptRow>[]);
});

describe("the entries of a transcript", () => {
  it("say who speaks, in order, with the tools beside their calls", () => {
    expect(entries.map(({ voice }) => voice)).toEqual(["person", "model", "model", "completion", "model"]);
    const tools = entries.flatMap((entry) => entry.tools);
    expect(tools.map(({ name, isError }) => [name, isError])).toEqual([
      ["delegate_task_async", false],
      ["check_task", true],
    ]);
    expect(tools.every(({ result }) => result !== null)).toBe(true);
  });

  it("know which children a call started, and only those", () => {
    expect(entries.flatMap((entry) => entry.tools.flatMap((tool) => tool.children))).toEqual(children);
  });

  it("end where the past ended", () => {
    const until = entries[1]?.seq ?? 0;
    expect(entriesUntil(entries, until)).toEqual(entries.slice(0, 2));
    expect(entriesUntil(entries, 0)).toEqual([]);
  });

  it("show a call that has no answer yet, and what a call was given", () => {
    const row = {
      task_id: "t",
      index: 1,
      seq: 1,
      run: 1,
      turn: 1,
      time: 0,
      message: {
        role: "assistant" as const,
        origin: "model" as const,
        parts: [
          {
            type: "tool_call" as const,
            call: { id: "c", name: "read_file", arguments: { path: "a", lines: [1] } },
          },
        ],
      },
    };
    const [entry] = entriesOf([row]);
    expect(entry?.tools).toMatchObject([{ name: "read_file", result: null, children: [] }]);
    expect(inputWords(entry?.tools[0]?.input)).toBe("path: a · lines: [1]");
    expect([inputWords("plain"), inputWords(undefined)]).toEqual(["plain", ""]);
  });
});
