// One way to declare a route: its words for the OpenAPI document, its schemas and its handler stand in one object, and
// its scope in one table, so that what is documented is what is checked. The router sees nothing that the document does not.

import type { Context, Hono, MiddlewareHandler } from "hono";
import { describeRoute, resolver, validator } from "hono-openapi";
import type { z } from "zod";
import { InvalidRequestError, NotFoundError } from "../base/errors.ts";
import type { Caller, TroupeApi } from "../core/api.ts";
import { toWire } from "../core/wire.ts";
import { type HttpEnv, secureJson } from "./gate.ts";
import { readJson } from "./json-body.ts";
import { PROBLEM_TYPE } from "./problem.ts";
import { type OperationId, ROUTE_SCOPES } from "./route-scopes.ts";
import { problemView } from "./view-schema.ts";

export type HttpApp = Hono<HttpEnv>;

/** Bytes of a body, where the route does not need more. */
export const DEFAULT_BODY_BYTES = 1_048_576;

export interface ResponseSpec {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** `application/json` unless it says otherwise. */
  readonly media?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a handler gets: everything checked. */
export interface Call<P, Q, B> {
  readonly c: Context<HttpEnv>;
  readonly api: TroupeApi;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
}

export interface RouteSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly method: "GET" | "POST" | "DELETE";
  /** With `:name` for parameters. */
  readonly path: string;
  /** Its scope stands under this name in `route-scopes.ts`. */
  readonly operationId: OperationId;
  readonly summary: string;
  readonly tag: "tasks" | "sessions" | "box" | "events" | "meta";
  readonly params: P;
  readonly query: Q;
  /** Absent on routes that take none. A body that is left out counts as `{}`. */
  readonly body?: B;
  readonly maxBodyBytes?: number;
  /** Request headers that mean something here, with their descriptions. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly responses: Readonly<Record<number, ResponseSpec>>;
  handle(call: Call<z.output<P>, z.output<Q>, z.output<B>>): Promise<Response>;
}

/** What routes are registered on. */
export interface RouteHost {
  readonly app: HttpApp;
  readonly api: (caller: Caller) => TroupeApi;
  /** Aborts when the caller's token is revoked; `null` where that cannot happen. */
  readonly revoked: (caller: Caller) => AbortSignal | null;
}

/** Adds the route. A GET answers HEAD too. */
export function addRoute<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType>(
  host: RouteHost,
  spec: RouteSpec<P, Q, B>,
): void {
  host.app.on(
    spec.method,
    spec.path,
    describe(spec),
    requireScope(spec.operationId),
    checked("param", spec.params),
    checked("query", spec.query),
    async (c) => {
      const body = spec.body && check("body", spec.body, (await readBody(c, spec)) ?? {});
      return spec.handle({
        c,
        api: host.api(c.get("caller")),
        params: c.req.valid("param" as never),
        query: c.req.valid("query" as never),
        body: body as z.output<B>,
      });
    },
  );
}

function readBody(c: Context<HttpEnv>, spec: { readonly maxBodyBytes?: number }): Promise<unknown> {
  return readJson(c.req.raw, spec.maxBodyBytes ?? DEFAULT_BODY_BYTES);
}

function requireScope(operation: OperationId): MiddlewareHandler<HttpEnv> {
  const scope = ROUTE_SCOPES[operation];
  return (c, next) => {
    if (!c.get("caller").scopes.includes(scope)) {
      throw new InvalidRequestError(
        "insufficient_scope",
        `Expected a token with the scope "${scope}", got one without. Use a token that may do this ` +
          `(\`troupe tokens add --scope ${scope}\`).`,
        { details: { scope } },
      );
    }
    return next();
  };
}

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What the document reads is the validator's; what runs does the same without its waits. */
function checked(target: "param" | "query", schema: z.ZodType): MiddlewareHandler<HttpEnv> {
  const own: MiddlewareHandler<HttpEnv> = (c, next) => {
    const result = schema.safeParse(target === "param" ? c.req.param() : queryOf(c));
    if (!result.success) throw invalid(target, result.error.issues);
    c.req.addValidatedData(target, result.data as object);
    return next();
  };
  return Object.assign(own, validator(target, schema));
}

/** A key that stands there several times has a list. */
function queryOf(c: Context): Readonly<Record<string, unknown>> {
  if (!c.req.url.includes("?")) return {};
  const all = Object.entries(c.req.queries());
  return Object.fromEntries(all.map(([key, values]) => [key, values.length === 1 ? values[0] : values]));
}

function check<S extends z.ZodType>(where: "body", schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (!result.success) throw invalid(where, result.error.issues);
  return result.data;
}

const PLACES = { body: "the body", param: "the path", query: "the query string" } as const;

/** Names each field that is wrong, at most eight of them. */
function invalid(where: keyof typeof PLACES, issues: readonly Issue[]): InvalidRequestError {
  const fields = issues.slice(0, 8).map((issue) => ({
    field: (issue.path ?? []).map((step) => String(typeof step === "object" ? step.key : step)).join("."),
    message: issue.message,
  }));
  const said = fields.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`));
  return new InvalidRequestError(
    `invalid_${where}`,
    `Expected ${PLACES[where]} as /openapi.json describes it, got: ${said.join("; ")}.`,
    { details: { fields } },
  );
}

/** What every route may answer instead. */
const REFUSAL = {
  description: "A problem document (RFC 9457); `code` names the cause, `detail` says what to do.",
  content: { [PROBLEM_TYPE]: { schema: resolver(problemView) } },
};

function describe(spec: Omit<RouteSpec<z.ZodType, z.ZodType, z.ZodType>, "handle">): MiddlewareHandler {
  const responses = Object.entries(spec.responses).map(([status, response]) => [
    status,
    {
      description: response.description,
      ...(response.headers ? { headers: headerDocs(response.headers) } : {}),
      ...(response.schema
        ? { content: { [response.media ?? "application/json"]: { schema: resolver(response.schema) } } }
        : {}),
    },
  ]);
  return describeRoute({
    operationId: spec.operationId,
    summary: spec.summary,
    tags: [spec.tag],
    security: [{ bearer: [ROUTE_SCOPES[spec.operationId]] }],
    parameters: Object.entries(spec.headers ?? {}).map(([name, description]) => ({
      in: "header",
      name,
      description,
      schema: { type: "string" as const },
    })),
    ...(spec.body
      ? { requestBody: { content: { "application/json": { schema: resolver(spec.body) } } } }
      : {}),
    responses: { ...Object.fromEntries(responses), default: REFUSAL },
  });
}

function headerDocs(headers: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [
      name,
      { description, schema: { type: "string" as const } },
    ]),
  );
}

/** A view as a JSON response. */
export function reply(
  value: unknown,
  status: 200 | 201 | 202 = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return secureJson(JSON.stringify(toWire(value)), status, headers);
}

/**
 * Answers what no route took.
 * Contract: always throws: 405 with `details.allow` where the path exists, NotFoundError `route_not_found` elsewhere.
 */
export function unrouted(app: HttpApp): (c: Context<HttpEnv>) => never {
  return (c) => {
    const methods = new Set<string>();
    for (const route of app.routes) {
      if (route.method === "ALL" || !matches(route.path, c.req.path)) continue;
      methods.add(route.method);
      if (route.method === "GET") methods.add("HEAD");
    }
    if (methods.size === 0) {
      throw new NotFoundError(
        "route_not_found",
        `Expected a path of this API, got ${JSON.stringify(c.req.path)}. See /openapi.json for all of them.`,
      );
    }
    const allow = [...methods].toSorted().join(", ");
    throw new InvalidRequestError(
      "method_not_allowed",
      `Expected ${allow} on ${JSON.stringify(c.req.path)}, got ${c.req.method}.`,
      { details: { allow } },
    );
  };
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.split("/");
  return (
    wanted.length === given.length &&
    wanted.every((part, i) => (part.startsWith(":") ? given[i] !== "" : part === given[i]))
  );
}
