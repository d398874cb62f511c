import fc from "fast-check";
import { expect, test } from "vitest";
import { camelKey, fromWire, snakeKey, toWire } from "../../src/core/wire.ts";

test("renames keys all the way down, and drops undefined", () => {
  const value = { taskId: 1, nested: [{ queuePosition: null, gone: undefined }], gpuMs: 2 };
  expect(toWire(value)).toEqual({ task_id: 1, nested: [{ queue_position: null }], gpu_ms: 2 });
  expect(fromWire(toWire(value))).toEqual({ taskId: 1, nested: [{ queuePosition: null }], gpuMs: 2 });
});

test("leaves somebody else's JSON untouched", () => {
  const body = { camelCase: 1, snake_case: 2 };
  expect(toWire({ outputSchema: body, call: { arguments: body } })).toEqual({
    output_schema: body,
    call: { arguments: body },
  });
  expect(fromWire({ output_schema: body, partial: body })).toEqual({ outputSchema: body, partial: body });
});

test("a key __proto__ is a key like any other and sets no prototype", () => {
  const hostile = JSON.parse('{"__proto__": {"polluted": true}, "a_b": 1}') as unknown;
  const value = fromWire(hostile) as Record<string, unknown>;
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test("every camelCase word comes back", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z]+([A-Z][a-z]+)*$/), (word) => {
      expect(camelKey(snakeKey(word))).toBe(word);
    }),
  );
});
