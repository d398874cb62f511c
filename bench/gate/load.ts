// Asks a server as fast as it answers, over a few connections that stay open, each with one request at a time. It reads no
// more of an answer than where it ends, so that the client's own work weighs little.

import { connect, type Socket } from "node:net";

export interface LoadOptions {
  readonly port: number;
  /** One request, as it goes over the wire. */
  readonly request: string;
  readonly connections: number;
  readonly requests: number;
}

const HEAD_END = "\r\n\r\n";

/** Where the first answer in the text ends; -1 while it has not come whole. Contract: throws for anything but 2xx. */
export function answerEnd(text: string): number {
  const head = text.indexOf(HEAD_END);
  if (head < 0) return -1;
  if (!text.startsWith("HTTP/1.1 2")) throw new Error(`Expected 2xx, got ${text.slice(0, 200)}.`);
  const body = head + HEAD_END.length;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, head))?.[1];
  if (length !== undefined) return text.length < body + Number(length) ? -1 : body + Number(length);
  const last = text.indexOf("0\r\n\r\n", body);
  return last < 0 ? -1 : last + 5;
}

/** Contract: resolves with the number of answers when nothing is left to ask; rejects at one that is not 2xx. */
export async function load({ port, request, connections, requests }: LoadOptions): Promise<number> {
  const bytes = Buffer.from(request);
  let left = requests;
  let answered = 0;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      let text = "";
      const next = (socket: Socket): void => {
        if (left === 0) {
          socket.end();
          return resolve();
        }
        left -= 1;
        socket.write(bytes);
      };
      const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => next(socket));
      socket.setEncoding("latin1");
      socket.on("error", reject);
      socket.on("close", () => resolve());
      socket.on("data", (chunk) => {
        text += String(chunk);
        try {
          const end = answerEnd(text);
          if (end < 0) return;
          text = text.slice(end);
          answered += 1;
        } catch (error) {
          socket.destroy();
          return reject(error as Error);
        }
        next(socket);
      });
    });
  await Promise.all(Array.from({ length: connections }, one));
  return answered;
}
