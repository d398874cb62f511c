import { expect, test } from "vitest";
import { RecordingApi } from "../../../src/cli/replay/recording-api.ts";
import { RecordingSource } from "../../../src/cli/replay/recording-source.ts";
import { recorded } from "./recordings.ts";

test("stands at the end at first, and goes where it is told, never beyond either end", async () => {
  const { recording, parent } = await recorded();
  const source = new RecordingSource(new RecordingApi(recording));
  const of = recording.events.length;
  const last = recording.events.at(-1);
  const id = parent.slice(0, 13);
  expect(source.liveness).toEqual({
    kind: "recording",
    at: of,
    of,
    time: last?.time,
    what: `${id} done, 10 characters`,
  });
  const { nodes } = source;
  source.lookSoon();
  expect(source.nodes).toBe(nodes);
  source.step("first");
  expect([source.nodes, source.liveness]).toEqual([
    [],
    { kind: "recording", at: 0, of, time: recording.events[0]?.time, what: "before anything had happened" },
  ]);
  source.step(-1);
  source.step(1);
  expect(source.liveness).toMatchObject({ at: 1, what: `${id} spawned as default on canned-1` });
  expect(source.nodes).toMatchObject([{ taskId: parent, state: "spawned" }]);
  source.step("last");
  source.step(25);
  expect(source.liveness).toMatchObject({ at: of });
});
