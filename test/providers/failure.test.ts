// The tables that turn a server's refusal, or a broken connection, into one ProviderError.

import { describe, expect, it } from "vitest";
import { explainConnection, explainRefusal, quoted } from "../../providers/failure.ts";

const PLACE = {
  where: "http://box:1",
  hint: "Start it.",
  redact: (text: string) => text.replaceAll("sk-hidden", "[secret]"),
};
const NOW = Date.parse("2026-01-01T00:00:00Z");

const refusal = (status: number | undefined, body: string) =>
  explainRefusal({ body, ...(status === undefined ? {} : { status }) }, PLACE, NOW);

const error = (message: string, rest: object = {}): string => JSON.stringify({ error: { message, ...rest } });

describe("what a refusal means", () => {
  it.for([
    [400, '{"error":"the input length exceeds the context length"}', "context_length", "context_length"],
    [400, error("This model's maximum context length is 8192 tokens"), "context_length", "context_length"],
    [400, error("x", { code: "context_length_exceeded" }), "context_length", "context_length"],
    [400, error("request (9 tokens) exceeds the available context size"), "context_length", "context_length"],
    [413, "", "context_length", "request_too_large"],
    [
      400,
      '{"error":"registry.ollama.ai/library/x:latest does not support tools"}',
      "refused",
      "tools_unsupported",
    ],
    [400, '{"error":"\\"x\\" does not support thinking"}', "refused", "thinking_unsupported"],
    [404, '{"error":"model \'x\' not found"}', "refused", "model_not_found"],
    [404, '{"error":"model \\"x\\" not found, try pulling it first"}', "refused", "model_not_found"],
    [
      404,
      error("The model `x` does not exist or you do not have access to it."),
      "refused",
      "model_not_found",
    ],
    [404, "404 page not found", "refused", "not_found"],
    [401, error("Incorrect API key provided"), "auth", "auth"],
    [403, error("Forbidden"), "auth", "auth"],
    [403, error("Your request was flagged by moderation"), "refused", "content_filter"],
    [401, error("This API key was revoked by its owner"), "auth", "key_revoked"],
    [400, '{"error":"invalid_grant"}', "auth", "key_revoked"],
    [403, error("No.", { type: "permission_error" }), "refused", "permission"],
    [403, error("Key limit exceeded (total limit)"), "quota", "quota"],
    [402, error("This request requires more credits, or fewer max_tokens"), "quota", "quota"],
    [429, '{"error":"timed out waiting for a concurrent request slot"}', "rate_limited", "concurrency_limit"],
    [498, error("Flex tier capacity exceeded"), "overloaded", "overloaded"],
    [402, "", "quota", "quota"],
    [429, error("You exceeded your current quota", { code: "insufficient_quota" }), "quota", "quota"],
    [429, '{"error":"you have reached your weekly usage limit"}', "quota", "quota"],
    [429, error("Rate limit reached, 30000 tokens per min"), "rate_limited", "rate_limited"],
    [408, "", "timeout", "server_timeout"],
    [504, "", "timeout", "server_timeout"],
    [
      503,
      '{"error":"server busy, please try again.  maximum pending requests exceeded"}',
      "overloaded",
      "overloaded",
    ],
    [529, error("Overloaded", { type: "overloaded_error" }), "overloaded", "overloaded"],
    [
      500,
      '{"error":"model requires more system memory (9 GiB) than is available (3 GiB)"}',
      "overloaded",
      "out_of_memory",
    ],
    [500, '{"error":"llama runner process has terminated: exit status 2"}', "network", "server_error"],
    [502, "<html>bad gateway</html>", "network", "server_error"],
    [301, "", "refused", "redirected"],
    [422, error("temperature must be a number"), "refused", "invalid_request"],
    [undefined, '{"error":"an error was encountered while running the model"}', "network", "server_error"],
    [undefined, error("slow down", { code: 429 }), "rate_limited", "rate_limited"],
    [undefined, error("no", { type: "authentication_error" }), "auth", "auth"],
    [undefined, '{"detail":"rate limit"}', "rate_limited", "rate_limited"],
  ] as const)("%s %s is %s (%s)", ([status, body, kind, code]) => {
    const got = refusal(status, body);
    expect([got.providerKind, got.code]).toEqual([kind, code]);
    expect(got.message).toMatch(
      /^Expected an answer from the model server at http:\/\/box:1, got .+\. .+\.$/s,
    );
  });

  it("tells when to come back, and whom a limit was counted for", () => {
    const headers = new Headers({ "retry-after": "7" });
    const body = error("Rate limit exceeded: free-models-per-day. ");
    expect(explainRefusal({ status: 429, headers, body }, PLACE, NOW)).toMatchObject({
      retryAfterMs: 7000,
      limitScope: "key",
    });
    expect(refusal(429, error("Please try again in 1.2s"))).toMatchObject({
      retryAfterMs: 1200,
      limitScope: "key_model",
    });
  });

  it("quotes the server without the secret, on one line, cut", () => {
    const { message } = refusal(400, error("bad\n\nkey sk-hidden !"));
    expect(message).toContain("(bad key [secret] !)");
    expect(quoted("a".repeat(600), PLACE)).toHaveLength(501);
  });
});

describe("what a broken connection means", () => {
  const nested = (code: string): Error =>
    new TypeError("fetch failed", { cause: Object.assign(new Error("low"), { code }) });

  it.for([
    ["ECONNREFUSED", false, "network", "unreachable"],
    ["ENOTFOUND", false, "network", "unreachable"],
    ["EHOSTUNREACH", false, "network", "unreachable"],
    ["ConnectionRefused", false, "network", "unreachable"],
    ["ECONNRESET", false, "network", "connection_lost"],
    ["UND_ERR_SOCKET", false, "network", "connection_lost"],
    ["UND_ERR_SOCKET", true, "network", "connection_lost"],
    ["ETIMEDOUT", false, "timeout", "connect_timeout"],
    ["UND_ERR_CONNECT_TIMEOUT", false, "timeout", "connect_timeout"],
    ["SELF_SIGNED_CERT_IN_CHAIN", false, "network", "tls"],
    ["HPE_INVALID_CONSTANT", false, "malformed", "not_http"],
  ] as const)("%s (answered: %s) is %s (%s)", ([code, answered, kind, expected]) => {
    const got = explainConnection(nested(code), PLACE, answered);
    expect([got.providerKind, got.code]).toEqual([kind, expected]);
    expect(got.message).toContain(code);
    expect(got.message).toContain("http://box:1");
  });

  it("says how to get a server going where nobody listens", () => {
    expect(explainConnection(nested("ECONNREFUSED"), PLACE, false).message).toContain("Start it.");
  });

  it("finds the code in an error that bundles one per address, and does without one", () => {
    const many = new AggregateError([Object.assign(new Error("v6"), { code: "ECONNREFUSED" })]);
    expect(explainConnection(new TypeError("x", { cause: many }), PLACE, false).message).toContain(
      "ECONNREFUSED",
    );
    expect(explainConnection("odd", PLACE, false)).toMatchObject({ code: "unreachable" });
  });
});
