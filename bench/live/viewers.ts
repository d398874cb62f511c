// The clients of the benchmarks of sockets, in a process of their own: it opens them, tells the parent when all have what
// is waited for, and measures how late events come. It is a program; the parent talks to it by messages.

import { WebSocket } from "ws";
import { percentile } from "../statistics.ts";

export interface ViewersOptions {
  readonly url: string;
  readonly clients: number;
  /** Sent first; none where the server knows no greeting. */
  readonly hello: unknown;
  /** What each client says then, by its number. */
  readonly orders?: readonly unknown[];
  /** Whether each message is read, and its events' times looked at. */
  readonly reads: boolean;
}

export type ToViewers =
  | { readonly type: "until"; readonly marker: string }
  | { readonly type: "lateness" }
  /** One client more, which takes nothing. */
  | { readonly type: "stall" };
export type FromViewers =
  | { readonly type: "open" }
  | { readonly type: "all" }
  | { readonly type: "lateness"; readonly p99: number; readonly messages: number; readonly ended: number };

const AT_ONCE = 25;
const options = JSON.parse(process.argv[2] ?? "{}") as ViewersOptions;
const now = (): number => performance.timeOrigin + performance.now();
const tell = (message: FromViewers): void => void process.send?.(message);

let marker: Buffer | null = null;
let missing = 0;
let lateness: number[] = [];
let ended = 0;
let messages = 0;
let stalled: WebSocket | null = null;

function look(text: string): void {
  const message = JSON.parse(text) as unknown;
  if (!Array.isArray(message)) return;
  for (const { event } of message as readonly { readonly event?: { readonly time: number } }[]) {
    if (event) lateness.push(now() - event.time);
  }
}

function dial(number: number): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(options.url, { perMessageDeflate: false });
    let isWelcome = options.hello === null;
    socket.once("error", reject);
    socket.on("open", () => {
      if (options.hello !== null) socket.send(JSON.stringify(options.hello));
      const more = options.orders?.[number];
      if (more !== undefined) socket.send(JSON.stringify(more));
      if (isWelcome) resolve(socket);
    });
    socket.on("message", (data: Buffer) => {
      if (!isWelcome) {
        isWelcome = true;
        return resolve(socket);
      }
      messages += 1;
      if (options.reads) look(data.toString());
      if (marker !== null && data.includes(marker) && (missing -= 1) === 0) tell({ type: "all" });
    });
  });
}

process.on("message", (message: ToViewers) => {
  if (message.type === "until") {
    marker = Buffer.from(message.marker);
    missing = options.clients;
  } else if (message.type === "stall") {
    void dial(-1).then((socket) => {
      socket.on("close", () => (ended += 1));
      socket.pause();
      stalled = socket;
      tell({ type: "open" });
    });
  } else {
    stalled?.terminate();
    stalled = null;
    tell({ type: "lateness", p99: lateness.length === 0 ? 0 : percentile(lateness, 0.99), messages, ended });
    lateness = [];
    messages = 0;
    ended = 0;
  }
});
process.on("disconnect", () => process.exit(0));
// A few at a time: a server knows only so many who have not said yet who they are.
for (let at = 0; at < options.clients; at += AT_ONCE) {
  const some = Math.min(AT_ONCE, options.clients - at);
  await Promise.all(Array.from({ length: some }, (_, number) => dial(at + number)));
}
tell({ type: "open" });
