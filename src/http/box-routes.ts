// Routes of the box: the tree, its GPUs, providers and machines, its state, and the switch that stops spawning.

import { emptyQuery, machineParams, pauseBody, treeQuery } from "./request-schema.ts";
import { addRoute, reply, type RouteHost } from "./route.ts";
import { boxStatus, gpuList, machineView, pauseView, providerList, treeList } from "./view-schema.ts";

export function addBoxRoutes(host: RouteHost): void {
  const reading = {
    method: "GET",
    tag: "box",
    scope: "read",
    params: emptyQuery,
    query: emptyQuery,
  } as const;
  addRoute(host, {
    ...reading,
    path: "/v1/tree",
    operationId: "showTree",
    summary: "All trees of tasks, or the one below `root_id`.",
    query: treeQuery,
    responses: { 200: { description: "The roots, each with its children.", schema: treeList } },
    handle: async ({ c, api, query }) => reply(c, { items: await api.tree(query.root_id) }),
  });
  addRoute(host, {
    ...reading,
    path: "/v1/gpus",
    operationId: "listGpus",
    summary: "GPUs: who holds what, who waits, which models are loaded.",
    responses: { 200: { description: "The GPUs.", schema: gpuList } },
    handle: async ({ c, api }) => reply(c, { items: await api.gpus() }),
  });
  addRoute(host, {
    ...reading,
    path: "/v1/providers",
    operationId: "listProviders",
    summary: "Model servers and endpoints, and what their models can do.",
    responses: { 200: { description: "The providers.", schema: providerList } },
    handle: async ({ c, api }) => reply(c, { items: await api.providers() }),
  });
  addRoute(host, {
    ...reading,
    path: "/v1/machines/:name",
    operationId: "showMachine",
    summary: "A state machine's own definition.",
    params: machineParams,
    responses: { 200: { description: "The machine.", schema: machineView } },
    handle: async ({ c, api, params }) => reply(c, await api.machine(params.name)),
  });
  addRoute(host, {
    ...reading,
    path: "/v1/status",
    operationId: "showStatus",
    summary: "The box in a few figures.",
    responses: { 200: { description: "The status.", schema: boxStatus } },
    handle: async ({ c, api }) => reply(c, await api.status()),
  });
  addRoute(host, {
    ...reading,
    method: "POST",
    scope: "admin",
    path: "/v1/pause",
    operationId: "pause",
    summary: "Stops or resumes admission: while paused, new tasks are accepted and stay queued.",
    body: pauseBody,
    responses: { 200: { description: "As it is now.", schema: pauseView } },
    handle: async ({ c, api, body }) => reply(c, await api.pause(body.paused)),
  });
}
