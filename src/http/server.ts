// The HTTP face of a TroupeApi: gate, routes, and one way to say no. It holds no task state and decides nothing
// about tasks; every answer is the API's, in the wire's words.

import { Hono } from "hono";
import { describeRoute, generateSpecs, resolver } from "hono-openapi";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { InternalError, toTroupeError, type TroupeError } from "../base/errors.ts";
import { newId, type Random, systemRandom } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import type { Caller, TroupeApi } from "../core/api.ts";
import type { InspectionSource } from "../core/inspection.ts";
import { addBoxRoutes, addSwitchRoutes } from "./box-routes.ts";
import { addEventRoutes } from "./event-routes.ts";
import { gate, type GateOptions, type HttpEnv, securityHeaders } from "./gate.ts";
import { problemResponse } from "./problem.ts";
import { RateLimit } from "./rate-limit.ts";
import { type Refusals, routeOf } from "./refusals.ts";
import { emptyQuery } from "./request-schema.ts";
import { addRoute, type HttpApp, reply, type RouteHost, unrouted } from "./route.ts";
import { addSessionRoutes } from "./session-routes.ts";
import type { Shell } from "./shell.ts";
import { addSocketRoutes, isSocketRequest } from "./socket-routes.ts";
import { addTaskRoutes } from "./task-routes.ts";
import { TokenBook } from "./token-book.ts";
import { healthView } from "./view-schema.ts";

export interface HttpAppOptions {
  /** The API as this caller has it. */
  readonly api: (caller: Caller) => TroupeApi;
  readonly gate: GateOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly version: string;
  readonly random?: Random;
  /** The machines at work, for `/v1/inspect`; there is no such path when absent. */
  readonly inspection?: InspectionSource;
  /** The dashboard; absent where only programs call. */
  readonly shell?: Shell;
  /** Where the gate's refusals are counted; nowhere when absent. */
  readonly refusals?: Refusals;
}

const HEALTH_PATH = "/healthz";

/**
 * The app; `app.fetch` is what `serve` takes.
 * Contract: never throws at a request: whatever goes wrong becomes a problem document.
 */
export function createHttpApp(options: HttpAppOptions): HttpApp {
  const app: HttpApp = new Hono<HttpEnv>();
  const tokens = new TokenBook(options.gate.tokens, options.gate.made);
  const { rateLimit } = options.gate;
  const limit = rateLimit ? new RateLimit(rateLimit, options.clock) : null;
  const host: RouteHost = { app, api: options.api, revoked: (caller) => tokens.revoked(caller) };
  const newRequestId = (): string => newId("req", options.random ?? systemRandom);
  app.use("*", securityHeaders());
  const { shell } = options;
  app.use(
    "*",
    gate(
      options.gate,
      { tokens, limit },
      (request) =>
        request.path === HEALTH_PATH ||
        isSocketRequest(request) ||
        (shell?.has(request.method, request.path) ?? false),
    ),
  );
  if (shell) app.use("*", shell.handler());
  addSocketRoutes(host, { ...options, tokens, newRequestId });
  addMetaRoutes(host, options.version);
  addTaskRoutes(host);
  addSessionRoutes(host);
  addBoxRoutes(host);
  addSwitchRoutes(host);
  addEventRoutes(host, { clock: options.clock, newRequestId });
  app.notFound(unrouted(app));
  app.onError((thrown, c) => {
    const error = toTroupeError(thrown);
    options.refusals?.count({ caller: c.get("caller") ?? null, route: routeOf(c), code: error.code });
    return refuse(error, newRequestId(), options.logger);
  });
  return app;
}

/** The problem document as a response; internal errors go to the log in full, and only there. */
function refuse(error: TroupeError, requestId: string, logger: Logger): Response {
  if (error instanceof InternalError) {
    const cause = error.cause instanceof Error ? error.cause.stack : undefined;
    logger.error(error.message, { request_id: requestId, code: error.code, cause: cause ?? error.stack });
  }
  return problemResponse(error, requestId);
}

function addMetaRoutes(host: RouteHost, version: string): void {
  host.app.get(
    HEALTH_PATH,
    describeRoute({
      operationId: "health",
      summary: "Whether the server answers; it needs no token, and it holds no data.",
      tags: ["meta"],
      security: [],
      responses: {
        200: { description: "It does.", content: { "application/json": { schema: resolver(healthView) } } },
      },
    }),
    () => reply({ ok: true }),
  );
  let document: Promise<unknown> | undefined;
  addRoute(host, {
    method: "GET",
    path: "/openapi.json",
    operationId: "openapi",
    summary: "This document.",
    tag: "meta",
    params: emptyQuery,
    query: emptyQuery,
    responses: { 200: { description: "OpenAPI 3.1.", schema: z.looseObject({ openapi: z.string() }) } },
    async handle({ c }) {
      document ??= openapi(host.app, version);
      return c.body(JSON.stringify(await document), 200, { "content-type": "application/json" });
    },
  });
}

/** The OpenAPI 3.1 document of every route of the app. */
function openapi(app: HttpApp, version: string): Promise<unknown> {
  return generateSpecs(app, {
    excludeStaticFile: false,
    defaultValidationErrorResponse: false,
    documentation: {
      info: {
        title: "Troupe",
        version,
        description: "Run many AI subagents on a box with a few local GPUs.",
      },
      security: [{ bearer: [] }],
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
    },
  });
}
