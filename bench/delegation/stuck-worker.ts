// The thread of the stuck server: a model server that never finishes. It speaks Ollama's API through the simulator, but
// every chat begins and then hangs. It reports the chats whose sockets are open, as the server sees them.

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parentPort } from "node:worker_threads";
import { systemClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { createSimulator } from "../../src/simulator/simulator.ts";

/** What the thread tells: where it listens, once, and then each new number of open chats. */
export type Report = { readonly port: number } | { readonly open: number };

interface Chat {
  readonly messages: readonly unknown[];
}

const FIRST_LINE = `${JSON.stringify({
  model: "sim-orchestrator",
  created_at: "2026-01-01T00:00:00Z",
  message: { role: "assistant", content: "Well" },
  done: false,
})}\n`;

const { app } = createSimulator({ clock: systemClock, random: seededRandom(1) });
let open = 0;

function report(news: Report): void {
  parentPort?.postMessage(news);
}

function count(by: number): void {
  open += by;
  report({ open });
}

function hangUp(request: IncomingMessage, response: ServerResponse): void {
  request.socket.once("close", () => count(-1));
  count(1);
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.write(FIRST_LINE);
}

/** Everything but a generation is the simulator's own answer: a chat without messages only loads a model. */
async function answerTo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = (await Array.fromAsync(request as AsyncIterable<Buffer>)).map(String).join("");
  if (request.url === "/api/chat" && (JSON.parse(body) as Chat).messages.length > 0)
    return hangUp(request, response);
  const answer = await app.request(request.url ?? "/", {
    method: request.method ?? "GET",
    headers: { "content-type": "application/json" },
    ...(body !== "" && { body }),
  });
  response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/plain" });
  response.end(await answer.text());
}

const server = createServer((request, response) => void answerTo(request, response));
server.listen(0, "127.0.0.1");
await once(server, "listening");
report({ port: (server.address() as AddressInfo).port });
