import { expect, it } from "vitest";
import { ROUTE_SCOPES, SCOPES, scopesUpTo } from "../../src/http/route-scopes.ts";

it("gives each scope those below it", () => {
  expect(SCOPES.map(scopesUpTo)).toEqual([["read"], ["read", "control"], ["read", "control", "admin"]]);
});

it("lets nobody who only reads change anything: what changes is named after what it does", () => {
  const reading = Object.entries(ROUTE_SCOPES).filter(([, scope]) => scope === "read");
  const words = /^(openapi|list|check|read|collect|show|stream)/;
  expect(reading.map(([name]) => name).filter((name) => !words.test(name))).toEqual([]);
});
