// Routes of tasks: delegate, look, wait, steer, cancel. Each one is a call of the TaskApi and nothing more.

import type { Context } from "hono";
import { InvalidRequestError } from "../base/errors.ts";
import type { CancelRequest, DelegateRequest, ListQuery } from "../core/api.ts";
import type { Answer } from "../core/question.ts";
import { fromWire } from "../core/wire.ts";
import {
  answerBody,
  batchBody,
  cancelBody,
  delegateBody,
  emptyQuery,
  listQuery,
  MAX_WAIT_S,
  progressBody,
  steerBody,
  taskParams,
  transcriptQuery,
} from "./request-schema.ts";
import { addRoute, reply, type RouteHost } from "./route.ts";
import { transcriptPage } from "./stream-schema.ts";
import {
  cancelReceipt,
  handleList,
  steerReceipt,
  taskHandle,
  taskPage,
  taskResult,
  taskView,
} from "./view-schema.ts";

/** A goal and a context of the largest size, each character escaped as six bytes, and the schema of the output. */
const DELEGATE_BODY_BYTES = 4_194_304;

const KEY_HEADER = "Idempotency-Key";
const KEY_PATTERN = /^[\x21-\x7e]{1,255}$/;
export const KEY_DOC = {
  [KEY_HEADER]:
    "Makes the call repeatable: the same key and body give the same answer, another body is a 409.",
};
const LOCATION_DOC = { Location: "Where the task can be seen." };
const none = emptyQuery;

/** The idempotency key of a request. Throws InvalidRequestError `invalid_idempotency_key`. */
export function idempotencyKey(c: Context): string | undefined {
  const key = c.req.header(KEY_HEADER);
  if (key === undefined || KEY_PATTERN.test(key)) return key;
  throw new InvalidRequestError(
    "invalid_idempotency_key",
    `Expected ${KEY_HEADER} to be 1 to 255 visible ASCII characters, got ${JSON.stringify(key.slice(0, 80))}.`,
  );
}

/** The path that shows a task. */
export function taskPath(taskId: string): string {
  return `/v1/tasks/${encodeURIComponent(taskId)}`;
}

export function addTaskRoutes(host: RouteHost): void {
  addDelegate(host);
  addBatch(host);
  addReading(host);
  addResult(host);
  addSteering(host);
}

function addDelegate(host: RouteHost): void {
  addRoute(host, {
    method: "POST",
    path: "/v1/tasks",
    operationId: "delegateTask",
    summary: "Accepts a task and returns its id at once.",
    tag: "tasks",
    params: none,
    query: none,
    body: delegateBody,
    maxBodyBytes: DELEGATE_BODY_BYTES,
    headers: KEY_DOC,
    responses: {
      202: {
        description: "Accepted; it may still wait for its turn.",
        schema: taskHandle,
        headers: {
          ...LOCATION_DOC,
          "Idempotency-Replayed": "`true` when the key had made this task before.",
        },
      },
    },
    async handle({ c, api, body }) {
      const key = idempotencyKey(c);
      const request = fromWire(body) as DelegateRequest;
      const handle = await api.delegate(key === undefined ? request : { ...request, idempotencyKey: key });
      return reply(handle, 202, {
        location: taskPath(handle.taskId),
        ...(!handle.created && { "idempotency-replayed": "true" }),
      });
    },
  });
}

function addBatch(host: RouteHost): void {
  addRoute(host, {
    method: "POST",
    path: "/v1/batches",
    operationId: "delegateBatch",
    summary: "Accepts several tasks at once, all or none.",
    tag: "tasks",
    params: none,
    query: none,
    body: batchBody,
    maxBodyBytes: DELEGATE_BODY_BYTES,
    headers: { [KEY_HEADER]: "Stands for the tasks that name no `idempotency_key` of their own, one each." },
    responses: { 202: { description: "Accepted, in the order asked.", schema: handleList } },
    async handle({ c, api, body }) {
      const key = idempotencyKey(c);
      const { tasks } = fromWire(body) as { tasks: readonly DelegateRequest[] };
      const requests = tasks.map((task, i) =>
        key === undefined ? task : { idempotencyKey: `${key}.${i}`, ...task },
      );
      return reply({ items: await api.delegateBatch(requests) }, 202);
    },
  });
}

function addReading(host: RouteHost): void {
  addRoute(host, {
    method: "GET",
    path: "/v1/tasks",
    operationId: "listTasks",
    summary: "Lists tasks, a page at a time.",
    tag: "tasks",
    params: none,
    query: listQuery,
    responses: { 200: { description: "A page.", schema: taskPage } },
    handle: async ({ api, query }) => reply(await api.list(fromWire(query) as ListQuery)),
  });
  addRoute(host, {
    method: "GET",
    path: "/v1/tasks/:id",
    operationId: "checkTask",
    summary: "Shows a task or session.",
    tag: "tasks",
    params: taskParams,
    query: none,
    responses: { 200: { description: "The task.", schema: taskView } },
    handle: async ({ api, params }) => reply(await api.check(params.id)),
  });
  addRoute(host, {
    method: "GET",
    path: "/v1/tasks/:id/transcript",
    operationId: "readTranscript",
    summary: "Reads the messages of a task, oldest first.",
    tag: "tasks",
    params: taskParams,
    query: transcriptQuery,
    responses: { 200: { description: "A page of rows.", schema: transcriptPage } },
    handle: async ({ api, params, query }) => reply(await api.transcript(params.id, query)),
  });
}

/** Seconds that `Prefer: wait=N` asks for, at most MAX_WAIT_S; `null` without one. Others' preferences are ignored. */
function preferredWait(c: Context): number | null {
  const match = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?=$|[,;])/i.exec(c.req.header("prefer") ?? "");
  return match ? Math.min(Number(match[1]), MAX_WAIT_S) : null;
}

function addResult(host: RouteHost): void {
  addRoute(host, {
    method: "GET",
    path: "/v1/tasks/:id/result",
    operationId: "collectTask",
    summary: "The end of a task; waits for it when asked to.",
    tag: "tasks",
    params: taskParams,
    query: none,
    headers: { Prefer: `\`wait=30\` waits up to 30 seconds for the end; ${MAX_WAIT_S} is the most.` },
    responses: {
      200: { description: "It has ended.", schema: taskResult },
      202: {
        description: "It has not ended yet; ask again.",
        schema: taskResult,
        headers: { "Retry-After": "Seconds.", "Preference-Applied": "The wait that was kept." },
      },
    },
    async handle({ c, api, params }) {
      const wait = preferredWait(c);
      const timeoutMs = (wait ?? 0) * 1000;
      const result = await api.collect(params.id, { timeoutMs, signal: c.req.raw.signal });
      const applied = wait === null ? {} : { "preference-applied": `wait=${wait}` };
      if (result.finished) return reply(result, 200, applied);
      return reply(result, 202, { ...applied, "retry-after": "1" });
    },
  });
}

function addSteering(host: RouteHost): void {
  const common = { method: "POST", tag: "tasks", params: taskParams, query: none } as const;
  addRoute(host, {
    ...common,
    path: "/v1/tasks/:id/steer",
    operationId: "steerTask",
    summary: "Sends a running task a message that its next turn folds in.",
    body: steerBody,
    headers: KEY_DOC,
    responses: {
      202: { description: "Queued; the receipt's state says what became of it.", schema: steerReceipt },
    },
    async handle({ c, api, params, body }) {
      const key = idempotencyKey(c);
      const request = key === undefined ? body : { ...body, steerId: key };
      return reply(await api.steer(params.id, request), 202);
    },
  });
  addRoute(host, {
    ...common,
    path: "/v1/tasks/:id/cancel",
    operationId: "cancelTask",
    summary: "Cancels a task and everything below it; may be repeated.",
    body: cancelBody,
    responses: { 202: { description: "Marked; it lets go on its own.", schema: cancelReceipt } },
    handle: async ({ api, params, body }) =>
      reply(await api.cancel(params.id, fromWire(body) as CancelRequest), 202),
  });
  addRoute(host, {
    ...common,
    path: "/v1/tasks/:id/answer",
    operationId: "answerTask",
    summary: "Answers a task that waits for a person, or for its parent.",
    body: answerBody,
    headers: KEY_DOC,
    responses: { 202: { description: "Taken.", schema: steerReceipt } },
    async handle({ c, api, params, body }) {
      const key = idempotencyKey(c);
      const answer = fromWire(body) as Answer;
      return reply(
        await api.answer(params.id, key === undefined ? answer : { ...answer, answerId: key }),
        202,
      );
    },
  });
  addRoute(host, {
    ...common,
    path: "/v1/tasks/:id/progress",
    operationId: "reportProgress",
    summary: "Records progress or a partial result of a task.",
    body: progressBody,
    responses: { 204: { description: "Recorded." } },
    async handle({ c, api, params, body }) {
      await api.reportProgress(params.id, body);
      return c.body(null, 204);
    },
  });
}
