// Doors that nobody should find: a TCP port and a socket file of this machine that count who came. A wall that lets
// somebody through to them does not stand.

import { createServer, type Server } from "node:net";

export interface Bait {
  /** Of a listener on 127.0.0.1. */
  readonly port: number;
  /** How many have come by now. */
  visitors(): number;
  close(): Promise<void>;
}

/** Opens both doors, the socket at `path`. Contract: rejects with the system's error; leaves nothing open then. */
export async function openBait(path: string): Promise<Bait> {
  let visitors = 0;
  const door = (): Server =>
    createServer((socket) => {
      visitors += 1;
      socket.on("error", () => {});
      socket.destroy();
    });
  const [tcp, unix] = [door(), door()];
  const close = async (): Promise<void> => {
    await Promise.all([closed(tcp), closed(unix)]);
  };
  try {
    await listening(tcp, { port: 0, host: "127.0.0.1" });
    await listening(unix, { path });
  } catch (error) {
    await close();
    throw error;
  }
  const address = tcp.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, visitors: () => visitors, close };
}

function listening(
  server: Server,
  at: { readonly path: string } | { readonly port: number; readonly host: string },
) {
  return new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(at, resolve);
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => void server.close(() => resolve()));
}
