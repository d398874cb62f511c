import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/base/errors.ts";
import { assertBindAllowed, isLoopback } from "../../src/http/bind.ts";

describe("assertBindAllowed", () => {
  it.each(["127.0.0.1", "127.8.9.10", "localhost", "LOCALHOST", "::1", "[::1]"])(
    "allows loopback: %s",
    (host) => {
      expect(isLoopback(host)).toBe(true);
      expect(() => assertBindAllowed(host, false)).not.toThrow();
    },
  );

  it.each(["0.0.0.0", "::", "192.168.1.5", "127.0.0.1.evil.test", "127.1", "localhost.evil.test", ""])(
    "T22 refuses %j without the explicit word, and names it",
    (host) => {
      let thrown: unknown;
      try {
        assertBindAllowed(host, false);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(ConfigError);
      expect(thrown).toMatchObject({
        code: "bind_refused",
        details: { config_key: "server.insecure_allow_remote" },
      });
    },
  );

  it("T22 allows any address with the explicit word", () => {
    expect(() => assertBindAllowed("0.0.0.0", true)).not.toThrow();
  });
});
