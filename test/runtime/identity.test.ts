import { describe, expect, test } from "vitest";
import { seededRandom } from "../../src/base/ids.ts";
import type { Caller, DelegateRequest } from "../../src/core/api.ts";
import { identityOf } from "../../src/runtime/identity.ts";

const ANN: Caller = { name: "ann", scopes: [], taskId: null };
const random = seededRandom(1);
const of = (request: DelegateRequest, caller = ANN) => identityOf("task", request, { caller, random });

describe("identityOf", () => {
  test("draws a new one for every request without a key", () => {
    const [one, two] = [of({ goal: "a" }), of({ goal: "a" })];
    expect(one.id).toMatch(/^task_[0-9a-f]{32}$/);
    expect(one.id).not.toBe(two.id);
    expect(one.requestHash).toBe("");
  });

  test("is the same for the same key and request, in whatever order its keys stand", () => {
    const one = of({ goal: "a", context: "c", toolsets: ["x"], idempotencyKey: "k" });
    expect(of({ idempotencyKey: "k", toolsets: ["x"], context: "c", goal: "a" })).toEqual(one);
  });

  test("another request under the same key has the id and another hash", () => {
    const [one, two] = [of({ goal: "a", idempotencyKey: "k" }), of({ goal: "b", idempotencyKey: "k" })];
    expect(two.id).toBe(one.id);
    expect(two.requestHash).not.toBe(one.requestHash);
  });

  test("keys of different callers, and of tasks and sessions, never meet", () => {
    const request = { goal: "a", idempotencyKey: "k" };
    const ids = [
      of(request),
      of(request, { ...ANN, name: "bob" }),
      of(request, { ...ANN, taskId: "task_9" }),
      identityOf("ses", request, { caller: ANN, random }),
    ].map(({ id }) => id.replace(/^\w+?_/, ""));
    expect(new Set(ids).size).toBe(3);
    expect(identityOf("ses", request, { caller: ANN, random }).id).toMatch(/^ses_/);
  });

  test("a key cannot be written so that it meets another caller's", () => {
    const one = of({ goal: "a", idempotencyKey: "x\nk" }, { ...ANN, name: "ann" });
    const two = of({ goal: "a", idempotencyKey: "k" }, { ...ANN, name: "ann\nx" });
    const named = of({ goal: "a", idempotencyKey: "k" }, { ...ANN, name: "task_9" });
    const task = of({ goal: "a", idempotencyKey: "k" }, { ...ANN, taskId: "task_9" });
    expect(new Set([one, two, named, task].map(({ id }) => id)).size).toBe(4);
  });
});
