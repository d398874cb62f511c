// Routes of the box: the tree, its GPUs, providers and machines, its state, and the switch that stops spawning.

import { emptyQuery, keyBody, keyParams, machineParams, pauseBody, treeQuery } from "./request-schema.ts";
import { addRoute, reply, type RouteHost } from "./route.ts";
import {
  boxStatus,
  gpuList,
  keyList,
  machineView,
  pauseView,
  providerList,
  treeList,
} from "./view-schema.ts";

export function addBoxRoutes(host: RouteHost): void {
  const reading = {
    method: "GET",
    tag: "box",
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
    handle: async ({ api, query }) => reply({ items: await api.tree(query.root_id) }),
  });
  addRoute(host, {
    ...reading,
    path: "/v1/gpus",
    operationId: "listGpus",
    summary: "GPUs: who holds what, who waits, which models are loaded.",
    responses: { 200: { description: "The GPUs.", schema: gpuList } },
    handle: async ({ api }) => reply({ items: await api.gpus() }),
  });
  addRoute(host, {
    ...reading,
    path: "/v1/providers",
    operationId: "listProviders",
    summary: "Model servers and endpoints, and what their models can do.",
    responses: { 200: { description: "The providers.", schema: providerList } },
    handle: async ({ api }) => reply({ items: await api.providers() }),
  });
  addRoute(host, {
    ...reading,
    path: "/v1/machines/:name",
    operationId: "showMachine",
    summary: "A state machine's own definition.",
    params: machineParams,
    responses: { 200: { description: "The machine.", schema: machineView } },
    handle: async ({ api, params }) => reply(await api.machine(params.name)),
  });
  addRoute(host, {
    ...reading,
    path: "/v1/status",
    operationId: "showStatus",
    summary: "The box in a few figures.",
    responses: { 200: { description: "The status.", schema: boxStatus } },
    handle: async ({ api }) => reply(await api.status()),
  });
}

/** What only an admin may do to it. */
export function addSwitchRoutes(host: RouteHost): void {
  const switching = {
    method: "POST",
    tag: "box",
    query: emptyQuery,
  } as const;
  addRoute(host, {
    ...switching,
    path: "/v1/pause",
    params: emptyQuery,
    operationId: "pause",
    summary: "Stops or resumes admission: while paused, new tasks are accepted and stay queued.",
    body: pauseBody,
    responses: { 200: { description: "As it is now.", schema: pauseView } },
    handle: async ({ api, body }) => reply(await api.pause(body.paused)),
  });
  addRoute(host, {
    ...switching,
    path: "/v1/keys/:fingerprint",
    operationId: "switchKey",
    summary: "Switches an API key off, or on again as if nothing had become of it.",
    params: keyParams,
    body: keyBody,
    responses: { 200: { description: "The key as it is now, for each provider.", schema: keyList } },
    handle: async ({ api, params, body }) =>
      reply({ items: await api.switchKey(params.fingerprint, body.disabled) }),
  });
}
