// A model server that never finishes, in a thread of its own as it would be in a process of its own: its sockets must
// not take the time of what is measured.

import { Worker } from "node:worker_threads";
import type { Report } from "./stuck-worker.ts";

export interface StuckServer {
  readonly url: string;
  /** Chats whose sockets are open, as the server sees them. */
  readonly open: number;
  /** Resolves when as many chats are open. */
  reached(open: number): Promise<void>;
  close(): Promise<void>;
}

export async function startStuckServer(): Promise<StuckServer> {
  const worker = new Worker(new URL("stuck-worker.ts", import.meta.url));
  const waiters = new Map<number, () => void>();
  let open = 0;
  const port = await new Promise<number>((resolve, reject) => {
    worker.once("error", reject);
    worker.on("message", (news: Report) => {
      if ("port" in news) return resolve(news.port);
      open = news.open;
      waiters.get(open)?.();
      waiters.delete(open);
    });
  });
  return {
    url: `http://127.0.0.1:${port}`,
    get open() {
      return open;
    },
    reached: (wanted) =>
      open === wanted ? Promise.resolve() : new Promise((resolve) => waiters.set(wanted, resolve)),
    close: async () => void (await worker.terminate()),
  };
}
