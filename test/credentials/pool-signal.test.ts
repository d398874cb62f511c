import { describe, expect, it } from "vitest";
import { judgementOf } from "../../src/credentials/pool-signal.ts";
import { refusal } from "./pool-specimens.ts";

const said = (...args: Parameters<typeof refusal>) => judgementOf(refusal(...args), "openai");

describe("what a refusal says of the key", () => {
  it("a key that is not accepted is the key's fault, and another may serve", () => {
    expect(said("auth", { status: 401 })).toEqual({
      signal: { about: "auth", final: false },
      rotation: "next",
    });
    expect(said("auth", { code: "key_revoked" })).toMatchObject({ signal: { final: true } });
  });

  it("money and limits carry the server's hint and whom they are counted for", () => {
    expect(said("quota", { retryAfterMs: 5 })).toEqual({
      signal: { about: "money", hintMs: 5 },
      rotation: "next",
    });
    expect(said("rate_limited", { limitScope: "key" })).toEqual({
      signal: { about: "rate", hintMs: null, scope: "key", concurrency: false },
      rotation: "next",
    });
    expect(said("rate_limited", { code: "concurrency_limit" })).toMatchObject({
      signal: { concurrency: true },
    });
  });

  it("a cloud's overload holds for everybody; an Ollama's full queue and its memory are nobody's fault", () => {
    const overloaded = refusal("overloaded", { status: 503, retryAfterMs: 9 });
    expect(judgementOf(overloaded, "openai")).toEqual({
      signal: { about: "overload", hintMs: 9 },
      rotation: "never",
    });
    expect(judgementOf(overloaded, "ollama")).toEqual({ signal: { about: "nothing" }, rotation: "never" });
    expect(said("overloaded", { code: "out_of_memory" })).toMatchObject({ signal: { about: "nothing" } });
  });

  it.for([
    ["timeout", { code: "server_timeout", status: 408 }, "never"],
    ["timeout", { code: "connect_timeout" }, "never"],
    ["network", { code: "unreachable" }, "never"],
    ["network", { code: "server_error", status: 500 }, "once"],
    ["network", { code: "server_error", status: 502 }, "once"],
    ["timeout", { code: "server_timeout", status: 504 }, "once"],
  ] as const)("%s %j is the server's sickness", ([kind, options, rotation]) => {
    expect(said(kind, options)).toEqual({ signal: { about: "backend" }, rotation });
  });

  it.for([
    ["context_length", { status: 400 }],
    ["context_length", { code: "request_too_large", status: 413 }],
    ["refused", { code: "content_filter", status: 403 }],
    ["refused", { code: "invalid_request", status: 422 }],
    ["refused", { code: "not_found", status: 404 }],
    ["malformed", {}],
  ] as const)("%s %j says nothing of the key, and nothing rotates", ([kind, options]) => {
    expect(said(kind, options)).toEqual({ signal: { about: "nothing" }, rotation: "never" });
  });

  it("a model that this key may not use is the model's, and rotates only where rights are the cause", () => {
    expect(said("refused", { code: "model_not_found", status: 404 })).toEqual({
      signal: { about: "model" },
      rotation: "never",
    });
    expect(said("refused", { code: "model_not_found", status: 403 })).toMatchObject({ rotation: "next" });
    expect(said("refused", { code: "permission", status: 403 })).toEqual({
      signal: { about: "model" },
      rotation: "next",
    });
  });
});
