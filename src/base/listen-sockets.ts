// WebSockets on Bun and Deno, whose servers bring their own. Their types are not installed, so the members that are
// used stand here. Deno's server has no bound for a message but its own 64 MiB: what is over ours is refused on arrival.

import {
  acceptedSocket,
  asksForSocket,
  CLOSE_GOING_AWAY,
  CLOSE_NOT_TEXT,
  CLOSE_TOO_BIG,
  MAX_SOCKET_MESSAGE_BYTES,
  offerSocket,
  type ServerSocket,
  type SocketHandler,
} from "./socket.ts";

type Handler = (request: Request) => Response | Promise<Response>;

/** More than any owner lets wait: owners look at `bufferedBytes` and close long before. */
const BACKPRESSURE_BYTES = 64 * 1024 * 1024;
/** Seconds of silence after which Bun closes; it pings by itself before. */
const IDLE_S = 120;

interface BunSocket {
  readonly data: SocketHandler;
  readonly readyState: number;
  send(text: string): number;
  getBufferedAmount(): number;
  close(code: number, reason: string): void;
  terminate(): void;
}

export interface BunSocketOptions {
  readonly maxPayloadLength: number;
  readonly backpressureLimit: number;
  readonly closeOnBackpressureLimit: boolean;
  readonly idleTimeout: number;
  readonly perMessageDeflate: boolean;
  open(socket: BunSocket): void;
  message(socket: BunSocket, data: string | Uint8Array): void;
  close(socket: BunSocket): void;
}

export interface BunSockets {
  readonly options: BunSocketOptions;
  /** `undefined` when the request has become a socket. */
  answer(request: Request, upgrade: (handler: SocketHandler) => boolean): Promise<Response | undefined>;
}

export function socketsOfBun(handler: Handler): BunSockets {
  return {
    options: {
      maxPayloadLength: MAX_SOCKET_MESSAGE_BYTES,
      backpressureLimit: BACKPRESSURE_BYTES,
      closeOnBackpressureLimit: true,
      idleTimeout: IDLE_S,
      perMessageDeflate: false,
      open: (socket) => socket.data.opened(ofBun(socket)),
      message: (socket, data) => {
        if (typeof data === "string") socket.data.received(data);
        else socket.close(CLOSE_NOT_TEXT, "text only");
      },
      close: (socket) => socket.data.closed(),
    },
    async answer(request, upgrade) {
      offer(request);
      const response = await handler(request);
      const accepted = acceptedSocket(request, response);
      if (!accepted) return response;
      if (upgrade(accepted)) return undefined;
      accepted.closed();
      return new Response(null, { status: 400 });
    },
  };
}

function ofBun(socket: BunSocket): ServerSocket {
  return {
    send: (text) => void (socket.readyState === WebSocket.OPEN && socket.send(text)),
    bufferedBytes: () => socket.getBufferedAmount(),
    close: (code, reason) => socket.close(code, reason),
    drop: () => socket.terminate(),
  };
}

export type DenoSocket = WebSocket;

export interface DenoSockets {
  answer(
    request: Request,
    upgrade: () => { readonly socket: DenoSocket; readonly response: Response },
  ): Promise<Response>;
  close(): void;
}

export function socketsOfDeno(handler: Handler): DenoSockets {
  const open = new Set<DenoSocket>();
  return {
    async answer(request, upgrade) {
      offer(request);
      const response = await handler(request);
      const accepted = acceptedSocket(request, response);
      if (!accepted) return response;
      try {
        const upgraded = upgrade();
        attach(upgraded.socket, accepted, open);
        return upgraded.response;
      } catch {
        accepted.closed();
        return new Response(null, { status: 400 });
      }
    },
    close() {
      for (const socket of open) socket.close(CLOSE_GOING_AWAY, "the server stops");
    },
  };
}

function attach(socket: DenoSocket, handler: SocketHandler, open: Set<DenoSocket>): void {
  socket.addEventListener("open", () => {
    open.add(socket);
    handler.opened(ofDeno(socket));
  });
  socket.addEventListener("message", ({ data }) => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (typeof data !== "string") socket.close(CLOSE_NOT_TEXT, "text only");
    // No character takes more than three bytes for each of its units, and none takes less than one.
    else if (data.length > MAX_SOCKET_MESSAGE_BYTES) socket.close(CLOSE_TOO_BIG, "too big");
    else handler.received(data);
  });
  socket.addEventListener("error", () => {});
  socket.addEventListener("close", () => {
    open.delete(socket);
    handler.closed();
  });
}

function ofDeno(socket: DenoSocket): ServerSocket {
  const close = (code: number, reason: string): void => {
    if (socket.readyState === WebSocket.OPEN) socket.close(code, reason);
  };
  return {
    send: (text) => void (socket.readyState === WebSocket.OPEN && socket.send(text)),
    bufferedBytes: () => socket.bufferedAmount,
    close,
    // There is nothing harder than a close here.
    drop: () => close(CLOSE_GOING_AWAY, ""),
  };
}

function offer(request: Request): void {
  if (asksForSocket(request.method, request.headers.get("upgrade"))) offerSocket(request);
}
