// Routes of sessions: open one, talk to it, stop what it does, close it. A session is shown like a task.

import type { SessionRequest } from "../core/api.ts";
import { fromWire } from "../core/wire.ts";
import { emptyBody, emptyQuery, messageBody, sessionBody, taskParams } from "./request-schema.ts";
import { addRoute, reply, type RouteHost } from "./route.ts";
import { idempotencyKey, KEY_DOC, taskPath } from "./task-routes.ts";
import { cancelReceipt, steerReceipt, taskView } from "./view-schema.ts";

export function addSessionRoutes(host: RouteHost): void {
  const common = { tag: "sessions", query: emptyQuery } as const;
  addRoute(host, {
    ...common,
    method: "POST",
    path: "/v1/sessions",
    operationId: "createSession",
    summary: "Opens a session: a root agent that takes messages.",
    params: emptyQuery,
    body: sessionBody,
    headers: KEY_DOC,
    responses: {
      201: {
        description: "Open.",
        schema: taskView,
        headers: { Location: "Where the session can be seen." },
      },
    },
    async handle({ c, api, body }) {
      const key = idempotencyKey(c);
      const request = fromWire(body) as SessionRequest;
      const session = await api.createSession(
        key === undefined ? request : { ...request, idempotencyKey: key },
      );
      return reply(session, 201, { location: taskPath(session.taskId) });
    },
  });
  addRoute(host, {
    ...common,
    method: "POST",
    path: "/v1/sessions/:id/messages",
    operationId: "sendMessage",
    summary: "Sends a chat message; never waits for models or children.",
    params: taskParams,
    body: messageBody,
    headers: KEY_DOC,
    responses: { 202: { description: "Taken; the answer comes as events.", schema: steerReceipt } },
    async handle({ c, api, params, body }) {
      const key = idempotencyKey(c);
      const message = key === undefined ? body : { ...body, messageId: key };
      return reply(await api.sendMessage(params.id, message), 202);
    },
  });
  addRoute(host, {
    ...common,
    method: "POST",
    path: "/v1/sessions/:id/stop",
    operationId: "stopSession",
    summary: "Ends what the session's agent is doing and cancels its children; the session stays.",
    params: taskParams,
    body: emptyBody,
    responses: { 202: { description: "Marked.", schema: cancelReceipt } },
    handle: async ({ api, params }) => reply(await api.stopSession(params.id), 202),
  });
  addRoute(host, {
    ...common,
    method: "DELETE",
    path: "/v1/sessions/:id",
    operationId: "closeSession",
    summary: "Closes the session and cancels its children, unless they were detached.",
    params: taskParams,
    responses: { 200: { description: "Closed.", schema: cancelReceipt } },
    handle: async ({ api, params }) => reply(await api.closeSession(params.id)),
  });
}
