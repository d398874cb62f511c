import { isIP } from "node:net";
import { expect, test } from "vitest";
import { ownAddresses, systemResolver } from "../../src/base/resolver.ts";

test("the system says where this machine is, and that a name without an address has none", async () => {
  const found = await systemResolver()("localhost");
  expect(found.length).toBeGreaterThan(0);
  expect(found.every((address) => isIP(address) !== 0)).toBe(true);
  await expect(systemResolver()("no-such-name.invalid")).rejects.toThrow("no-such-name.invalid");
});

test("this machine has addresses, all of them in words that can be compared", () => {
  expect(ownAddresses()).toContain("127.0.0.1");
  expect(ownAddresses().every((address) => isIP(address) !== 0)).toBe(true);
});
