import { expect, test } from "vitest";
import { MAX_TOOL_RESULT_CHARS } from "../../src/core/limits.ts";
import { resultRoom } from "../../src/runtime/result-room.ts";

test.each([
  [null, MAX_TOOL_RESULT_CHARS],
  [16_384, 13_107],
  [131_072, MAX_TOOL_RESULT_CHARS],
  [256, 400],
])("a context of %s tokens has room for a result of %i characters", (contextTokens, room) => {
  expect(resultRoom(contextTokens)).toBe(room);
});
