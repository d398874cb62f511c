// What any client meets at the doors of a Troupe: the stream as it is on the wire, the gate, and what the server says
// of itself. Answers hold no ids, times or ports.

import { connect } from "node:net";
import { runtimeFetch } from "../../src/base/fetch.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { eventsUntil, isEnd, refusalOf, type Scene } from "./follow.ts";
import type { House } from "./house.ts";

/** The dashboard as a browser gets it: the page and everything that it names, without a token. */
async function dashboard({ url }: House): Promise<unknown> {
  const page = await runtimeFetch()(`${url}/`);
  const text = await page.text();
  const paths = [...text.matchAll(/"(\/app\/[^"]+)"/g)].map((match) => match[1] ?? "");
  const answers = await Promise.all(paths.map((path) => runtimeFetch()(url + path)));
  await Promise.all(answers.map((answer) => answer.text()));
  return {
    status: page.status,
    policy: page.headers.get("content-security-policy"),
    many: paths.length > 10,
    kinds: [
      ...new Set(answers.map(({ status, headers }) => `${status} ${headers.get("content-type")}`)),
    ].toSorted(),
  };
}

/** The stream as any client reads it: `Last-Event-ID`, one message an event, the cursor as its id. */
async function serverSentEvents(house: House): Promise<unknown> {
  const { client, url, token } = house;
  const { taskId } = await client.delegate({ goal: "Describe notes/beta.md", toolsets: ["file"] });
  await client.collect(taskId, { timeoutMs: 30_000 });
  const events = await eventsUntil(house, { taskId }, isEnd);
  const cursor = (events.at(-4) as StoredEvent).cursor;
  const stop = new AbortController();
  const response = await runtimeFetch()(`${url}/v1/events?task_id=${taskId}`, {
    headers: { authorization: `Bearer ${token}`, "last-event-id": String(cursor) },
    signal: stop.signal,
  });
  let text = "";
  const decoder = new TextDecoder();
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  while (!text.includes("event: task.done")) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  stop.abort();
  const types = [...text.matchAll(/^event: (\S+)$/gm)].map(([, type]) => type);
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  return {
    type: response.headers.get("content-type"),
    types,
    afterCursor: ids.every((id) => id > cursor),
    ids: ids.length === types.length,
  };
}

/** The gate: no token, a wrong one, a foreign Host, a foreign Origin, no JSON; and what needs no token. */
async function gate(house: House): Promise<unknown> {
  const { url, token, port } = house;
  const fetch = runtimeFetch();
  const ask = async (
    path: string,
    headers: Record<string, string>,
    init: RequestInit = {},
  ): Promise<unknown> => {
    const response = await fetch(url + path, { headers, ...init });
    const body = (await response.json()) as { readonly code?: string };
    return [response.status, body.code ?? null];
  };
  const mine = { authorization: `Bearer ${token}` };
  return {
    health: await ask("/healthz", {}),
    noToken: await ask("/v1/tree", {}),
    wrongToken: await ask("/v1/tree", { authorization: `Bearer ${"00".repeat(32)}` }),
    wrongTokenOfClient: await refusalOf(house.clientWith("00".repeat(32)).tree()),
    wrongHost: await rawStatus(port, "troupe.example", token),
    rightHost: await rawStatus(port, `localhost:${port}`, token),
    wrongOrigin: await ask("/v1/tree", { ...mine, origin: "https://troupe.example" }),
    noJson: await ask(
      "/v1/tasks",
      { ...mine, "content-type": "text/plain" },
      { method: "POST", body: "goal=x" },
    ),
    emptyGoal: await ask(
      "/v1/tasks",
      { ...mine, "content-type": "application/json" },
      { method: "POST", body: '{"goal":" "}' },
    ),
    unknownTask: await ask("/v1/tasks/task_0", mine),
  };
}

/** The status line for a Host that fetch would not send. */
function rawStatus(port: number, host: string, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const lines = [
      "GET /v1/tree HTTP/1.1",
      `Host: ${host}`,
      `Authorization: Bearer ${token}`,
      "Connection: close",
    ];
    const socket = connect(port, "127.0.0.1", () => socket.write(`${lines.join("\r\n")}\r\n\r\n`));
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      answer += String(chunk);
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(Number(answer.split(" ")[1])));
  });
}

/** What a client learns of the server: its routes, its machine, its models, and that they are simulated. */
async function describing({ client, url, token }: House): Promise<unknown> {
  const response = await runtimeFetch()(`${url}/openapi.json`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const document = (await response.json()) as { readonly openapi: string; readonly paths: object };
  const machine = await client.machine("agent");
  const [provider] = await client.providers();
  const { simulated, durability, paused } = await client.status();
  const [lane] = await client.gpus();
  return {
    openapi: document.openapi,
    paths: Object.keys(document.paths).toSorted(),
    machine: Object.keys((machine.definition as { readonly states: object }).states),
    provider: {
      type: provider?.type,
      simulated: provider?.simulated,
      models: provider?.models.map((each) => each.model),
    },
    status: { simulated, durability, paused },
    slots: lane?.backends.map((backend) => backend.slots),
    leases: lane?.backends.map((backend) => backend.leases.length),
  };
}

export const DOOR_SCENES: readonly Scene[] = [
  { name: "serverSentEvents", run: serverSentEvents },
  { name: "gate", run: gate },
  { name: "dashboard", run: dashboard },
  { name: "describing", run: describing },
];
