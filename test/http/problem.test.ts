import { describe, expect, it } from "vitest";
import * as errors from "../../src/base/errors.ts";
import type { ErrorKind, ProviderErrorKind, TroupeError } from "../../src/base/errors.ts";
import {
  CODE_STATUS,
  fromProblem,
  isProblem,
  problemResponse,
  KIND_TABLE,
  PROVIDER_STATUS,
  retryAfterOf,
  statusOf,
  toProblem,
} from "../../src/http/problem.ts";

const details = { config_key: "delegation.max_spawn_depth", limit: 1 };
const EXAMPLES: Readonly<Record<ErrorKind, readonly [TroupeError, number]>> = {
  config: [new errors.ConfigError("unknown_model", "Expected a model.", { details }), 500],
  invalid_request: [new errors.InvalidRequestError("empty_goal", "Expected a goal.", { details }), 400],
  not_found: [new errors.NotFoundError("task_not_found", "Expected a task.", { details }), 404],
  conflict: [new errors.ConflictError("task_ended", "It has ended.", { details }), 409],
  limit: [new errors.LimitError("queue_full", "The queue is full.", { details }), 429],
  provider: [
    new errors.ProviderError({ kind: "overloaded", code: "busy" }, "The server is busy.", { details }),
    503,
  ],
  tool: [new errors.ToolError("no_such_file", "There is no such file.", { details }), 500],
  store: [new errors.StoreError("busy", "The store is busy.", { details }), 503],
  cancelled: [new errors.CancelledError("It was called off.", { details }), 503],
  internal: [new errors.InternalError("broken", "at /home/me/secret.ts: key=hunter2", { details }), 500],
};
const KINDS = Object.keys(EXAMPLES) as ErrorKind[];

describe("the problem table", () => {
  it("covers every class of error there is", () => {
    const classes = Object.values(errors).filter(
      (value) => typeof value === "function" && value.prototype instanceof errors.TroupeError,
    );
    expect(new Set(KINDS.map((kind) => EXAMPLES[kind][0].constructor))).toEqual(new Set(classes));
    expect(Object.keys(KIND_TABLE).toSorted()).toEqual(KINDS.toSorted());
  });

  it.each(KINDS)("gives %s its status and a full document", (kind) => {
    const [error, status] = EXAMPLES[kind];
    expect(statusOf(error)).toBe(status);
    const problem = toProblem(error, "req_1");
    expect(problem).toMatchObject({ status, title: expect.any(String), detail: expect.any(String) });
    expect(isProblem(JSON.parse(JSON.stringify(problem)))).toBe(true);
  });

  it.each(KINDS.filter((kind) => kind !== "internal"))("brings %s back as it was", (kind) => {
    const [error] = EXAMPLES[kind];
    const back = fromProblem(JSON.parse(JSON.stringify(toProblem(error, "req_1"))));
    expect(back.constructor).toBe(error.constructor);
    expect(back).toMatchObject({ kind, code: error.code, message: error.message, details });
  });

  it.each(Object.entries(PROVIDER_STATUS))(
    "answers a provider's %s with %i and keeps its kind",
    (kind, status) => {
      const error = new errors.ProviderError({ kind: kind as ProviderErrorKind, code: "x" }, "y", {
        status: 418,
        retryAfterMs: 2500,
      });
      expect(statusOf(error)).toBe(status);
      expect(retryAfterOf(error)).toBe(3);
      expect(fromProblem(toProblem(error, "req_1"))).toMatchObject({
        providerKind: kind,
        status: 418,
        retryAfterMs: 2500,
        transient: error.transient,
        details: {},
      });
    },
  );

  it("H1 says nothing of the inside of an internal error", () => {
    const text = JSON.stringify(toProblem(EXAMPLES.internal[0], "req_1"));
    expect(text).not.toMatch(/hunter2|secret|broken|spawn_depth/);
    expect(text).toContain("req_1");
  });

  it("tells to wait only where waiting helps", () => {
    const waits = KINDS.filter((kind) => retryAfterOf(EXAMPLES[kind][0]) !== null);
    expect(waits.toSorted()).toEqual(["cancelled", "limit", "provider", "store"]);
    const own = new errors.LimitError("too_many", "Wait.", { details: { retry_after_ms: 4001 } });
    expect(retryAfterOf(own)).toBe(5);
  });

  it("lets no detail take the place of a member", () => {
    const error = new errors.ConflictError("taken", "It is taken.", {
      details: { type: "x", status: 200, code: "y", detail: "z", title: "t" },
    });
    expect(toProblem(error, "req_1")).toMatchObject({ status: 409, code: "taken", detail: "It is taken." });
  });

  it.each(Object.entries(CODE_STATUS))("answers the refusal %s with %i", (code, status) => {
    expect(statusOf(new errors.InvalidRequestError(code, "No."))).toBe(status);
  });

  it("does not take other documents for its own", () => {
    const others = [null, 1, "x", [], {}, { type: "about:blank", code: "a", detail: "b" }, { code: "a" }];
    expect(others.filter(isProblem)).toEqual([]);
  });

  it("takes a kind of a later version as internal", () => {
    const problem = { ...toProblem(EXAMPLES.limit[0], "r"), type: "urn:troupe:problem:quantum:flip" };
    expect(fromProblem(problem)).toBeInstanceOf(errors.InternalError);
  });
});

it.each(["model_without_tools", "no_candidate", "toolset_not_inherited"])(
  "%s is an input that cannot be served, and no limit to come back after",
  (code) => {
    const response = problemResponse(new errors.LimitError(code, "No."), "req");
    expect([response.status, response.headers.get("retry-after")]).toEqual([422, null]);
  },
);
