import { expect, test } from "vitest";
import {
  CancelledError,
  InternalError,
  LimitError,
  messageOf,
  ProviderError,
  toTroupeError,
  type ProviderErrorKind,
} from "../../src/base/errors.ts";

test("an error carries its kind, code, details and cause", () => {
  const cause = new Error("below");
  const error = new LimitError("queue_full", "Full.", { cause, details: { limit: 3 } });
  expect(error).toMatchObject({
    kind: "limit",
    code: "queue_full",
    name: "LimitError",
    details: { limit: 3 },
    cause,
  });
  expect(new CancelledError()).toMatchObject({ kind: "cancelled", code: "cancelled" });
});

test.each<[ProviderErrorKind, boolean]>([
  ["auth", false],
  ["rate_limited", true],
  ["quota", false],
  ["overloaded", true],
  ["timeout", true],
  ["network", true],
  ["context_length", false],
  ["refused", false],
  ["malformed", true],
])("a provider error of kind %s is transient: %s", (kind, transient) => {
  const error = new ProviderError({ kind, code: "x" }, "y", { status: 418, retryAfterMs: 5 });
  expect(error).toMatchObject({ providerKind: kind, transient, status: 418, retryAfterMs: 5 });
});

test("anything thrown becomes a Troupe error, and keeps what it was", () => {
  const own = new LimitError("a", "b");
  expect(toTroupeError(own)).toBe(own);
  const foreign = new TypeError("odd");
  expect(toTroupeError(foreign)).toBeInstanceOf(InternalError);
  expect(toTroupeError(foreign)).toMatchObject({ code: "unexpected", cause: foreign });
  expect(messageOf("text")).toBe("text");
  expect(messageOf(7)).toBe("7");
});
