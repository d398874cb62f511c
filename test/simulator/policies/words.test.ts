import { expect, test } from "vitest";
import { keywords } from "../../../src/simulator/policies/words.ts";

test("keywords leave out small words and plain plurals", () => {
  expect([...keywords("Count the Files in docs, and the TESTS")]).toEqual(["count", "doc", "test"]);
});
