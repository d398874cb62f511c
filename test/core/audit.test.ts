import { expect, it } from "vitest";
import { actorOf, digestOf, NO_AUDIT } from "../../src/core/audit.ts";

it("digests a value whatever the order of its keys, and tells values apart", () => {
  expect(digestOf({ a: 1, b: { c: [1, 2], d: null } })).toBe(digestOf({ b: { d: null, c: [1, 2] }, a: 1 }));
  const others = [undefined, null, {}, [], "", { a: 1 }, { a: 2 }, [1, 2], [2, 1]];
  expect(new Set(others.map(digestOf)).size).toBe(others.length - 1);
  expect(digestOf(undefined)).toBe(digestOf(null));
});

it("calls people and agents by what they are", () => {
  const scopes = ["read"] as const;
  expect(actorOf({ name: "operator", scopes, taskId: null })).toEqual({ actor: "person:operator" });
  expect(actorOf({ name: "ci", scopes, taskId: null, tokenId: "tok_1" })).toEqual({
    actor: "person:ci",
    tokenId: "tok_1",
  });
  expect(actorOf({ name: "x", scopes, taskId: "task_1" })).toEqual({ actor: "agent:task_1" });
});

it("keeps nothing where nothing is kept", () => {
  NO_AUDIT.ready();
  NO_AUDIT.note({ actor: "troupe", action: "x.y", target: null, digest: null, outcome: "ok" });
  expect(Object.keys(NO_AUDIT)).toEqual(["ready", "note"]);
});
