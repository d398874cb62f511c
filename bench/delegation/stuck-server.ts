// A model server that never finishes: it speaks Ollama's API through the simulator, but every chat begins and then
// hangs. It counts the chats whose sockets are open, as the server sees them.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { systemClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { createSimulator } from "../../src/simulator/simulator.ts";

export interface StuckServer {
  readonly url: string;
  /** Chats whose sockets are open. */
  readonly open: number;
  /** Resolves when as many chats are open. */
  reached(open: number): Promise<void>;
  close(): Promise<void>;
}

const FIRST_LINE = `${JSON.stringify({
  model: "sim-orchestrator",
  created_at: "2026-01-01T00:00:00Z",
  message: { role: "assistant", content: "Well" },
  done: false,
})}\n`;

export async function startStuckServer(): Promise<StuckServer> {
  const simulator = createSimulator({ clock: systemClock, random: seededRandom(1) });
  const waiters = new Map<number, () => void>();
  let open = 0;
  const changed = (by: number): void => {
    open += by;
    waiters.get(open)?.();
    waiters.delete(open);
  };
  const hangUp = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    for await (const _ of request);
    changed(1);
    request.socket.once("close", () => changed(-1));
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.write(FIRST_LINE);
  };
  const server = createServer((request, response) => {
    void (request.url === "/api/chat" ? hangUp(request, response) : pass(request, response, simulator.app));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get open() {
      return open;
    },
    reached: (wanted) =>
      open === wanted ? Promise.resolve() : new Promise((resolve) => waiters.set(wanted, resolve)),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      simulator.close();
    },
  };
}

/** Everything but a chat is the simulator's own answer. */
async function pass(
  request: IncomingMessage,
  response: ServerResponse,
  app: ReturnType<typeof createSimulator>["app"],
): Promise<void> {
  const body = (await Array.fromAsync(request as AsyncIterable<Buffer>)).map(String).join("");
  const answer = await app.request(request.url ?? "/", {
    method: request.method ?? "GET",
    headers: { "content-type": "application/json" },
    ...(body !== "" && { body }),
  });
  response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/plain" });
  response.end(await answer.text());
}
