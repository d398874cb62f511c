import { expect, it } from "vitest";
import { helloMessage, laterMessage, MAX_WATCHED, readMessage } from "../../src/http/socket-words.ts";

it("reads a greeting with a cursor and without", () => {
  expect(readMessage(helloMessage, '{"type":"hello","token":"t"}')).toEqual({ type: "hello", token: "t" });
  expect(readMessage(helloMessage, '{"type":"hello","token":"t","after":0,"more":1}')).toEqual({
    type: "hello",
    token: "t",
    after: 0,
  });
});

it("reads what a client wants later", () => {
  const deltas = Array.from({ length: MAX_WATCHED }, (_, at) => `task_${at}`);
  expect(readMessage(laterMessage, JSON.stringify({ type: "watch", deltas }))).toEqual({
    type: "watch",
    deltas,
  });
  expect(readMessage(laterMessage, '{"type":"ping"}')).toEqual({ type: "ping" });
});

it.each([
  "",
  "null",
  "{",
  '{"type":"hello"}',
  '{"type":"hello","token":7}',
  '{"type":"hello","token":"t","after":1.5}',
  '{"type":"hello","token":"t","after":null}',
  '{"type":"hello","token":"t","after":1e300}',
])("takes %s for no greeting", (text) => {
  expect(readMessage(helloMessage, text)).toBeNull();
});

it.each([
  '{"type":"watch"}',
  '{"type":"watch","deltas":"task_1"}',
  '{"type":"watch","deltas":[7]}',
  '{"type":"stop"}',
])("takes %s for nothing that a client may say later", (text) => {
  expect(readMessage(laterMessage, text)).toBeNull();
});
