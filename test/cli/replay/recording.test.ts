import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRecording } from "../../../src/cli/replay/recording.ts";
import { TroupeError } from "../../../src/base/errors.ts";
import { recorded, textOf } from "./recordings.ts";

type Json = Record<string, unknown>;

/** The file with something in it changed. */
async function changed(change: (file: Json) => void): Promise<string> {
  const { recording } = await recorded();
  const file = JSON.parse(textOf(recording)) as Json;
  change(file);
  return JSON.stringify(file);
}

/** What reading it threw; `null` when it was read. */
function refusalOf(text: string): unknown {
  try {
    parseRecording(text);
    return null;
  } catch (error) {
    return error;
  }
}

test("what was written is read again, in order", async () => {
  const { recording, parent, child } = await recorded();
  const text = await changed((file) => {
    (file["tasks"] as unknown[]).reverse();
    (file["events"] as unknown[]).reverse();
  });
  expect(parseRecording(text)).toEqual(recording);
  expect(recording.tasks.map(({ taskId }) => taskId)).toEqual([parent, child]);
});

describe("R2 what is no recording is refused", () => {
  test.each<[string, string, RegExp]>([
    ["no JSON", "{", /got no JSON/],
    ["another document", "{}", /something else at format/],
    ["null", "null", /got something else/],
    [
      "a later version",
      '{"format":"troupe-recording","version":99}',
      /version 99, which this Troupe does not know/,
    ],
    ["JSON without end", "[".repeat(2_000_000), /got/],
  ])("%s", (_, text, message) => {
    expect(() => parseRecording(text)).toThrow(expect.objectContaining({ code: "bad_recording" }));
    expect(() => parseRecording(text)).toThrow(message);
  });

  test.each<[string, (file: Json, task: Json) => void, RegExp]>([
    ["no tasks", (file) => (file["tasks"] = []), /tasks/],
    ["an unknown state", (_, task) => (task["state"] = "owned"), /tasks\.0\.state/],
    ["a goal that is no text", (_, task) => (task["goal"] = { path: "/etc/passwd" }), /tasks\.0\.goal/],
    ["an event without a task", (file) => (file["events"] = [{ cursor: 1 }]), /events\.0/],
    ["a root that is not there", (file) => (file["root_id"] = "task_none"), /without its own root/],
    ["a task twice", (file, task) => (file["tasks"] as Json[]).push(task), /the same task twice/],
    [
      "a task that is its own parent",
      (_, task) => (task["parent_id"] = task["task_id"]),
      /their own ancestors/,
    ],
  ])("%s", async (_, change, message) => {
    const text = await changed((file) => change(file, (file["tasks"] as Json[])[0] as Json));
    expect(() => parseRecording(text)).toThrow(expect.objectContaining({ code: "bad_recording" }));
    expect(() => parseRecording(text)).toThrow(message);
  });

  test("a tree of a thousand levels", async () => {
    const text = await changed((file) => {
      const [task] = file["tasks"] as Json[];
      file["tasks"] = Array.from({ length: 1_000 }, (_, at) => ({
        ...task,
        task_id: at === 0 ? task?.["task_id"] : `task_${at}`,
        parent_id: at === 0 ? null : at === 1 ? task?.["task_id"] : `task_${at - 1}`,
      }));
    });
    expect(() => parseRecording(text)).toThrow(/more than 64 levels/);
  });

  test("data nested beyond walking is refused in words, or kept as data", async () => {
    const deep = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    const text = (
      await changed((file) => (((file["events"] as Json[])[0] as Json)["data"] = "DEEP"))
    ).replace('"DEEP"', deep);
    expect(() => parseRecording(text)).toThrow(expect.objectContaining({ code: "bad_recording" }));
  });

  test("any change of a file is read or refused, and never anything else", async () => {
    const text = await changed(() => {});
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(20), fc.string({ maxLength: 10 }), (at, length, instead) => {
        const refusal = refusalOf(text.slice(0, at) + instead + text.slice(at + length));
        expect(refusal === null || refusal instanceof TroupeError).toBe(true);
      }),
    );
  });
});

test("a key of the prototype is a key like any other", async () => {
  const text = await changed((file) => (((file["events"] as Json[])[0] as Json)["data"] = "DATA"));
  const { events } = parseRecording(text.replace('"DATA"', '{"__proto__":{"polluted":true}}'));
  expect(({} as Json)["polluted"]).toBeUndefined();
  const data = events[0]?.data as Json | undefined;
  expect(data).toBeDefined();
  expect(data?.["polluted"]).toBeUndefined();
});
