// A WebSocket as a server of any runtime has it, and how a fetch handler takes one: the server offers it with the
// request, the handler accepts it before it answers. Whoever was not offered one cannot be upgraded, whatever its
// headers say, so a gate may ask `isSocketOffered` instead of believing them.
//
// W1. `opened` comes first, `closed` last and exactly once; after it nothing is received or sent. Where the handshake
//     comes to nothing after all, `closed` comes alone.
// W2. A message over MAX_SOCKET_MESSAGE_BYTES, or one that is not text, closes the socket and is never handed on.

/** Bytes of one message from a client: these are orders and greetings, nothing large. */
export const MAX_SOCKET_MESSAGE_BYTES = 16_384;

/** The closing codes of RFC 6455 that are used here. */
export const CLOSE_GOING_AWAY = 1001;
export const CLOSE_NOT_TEXT = 1003;
export const CLOSE_TOO_BIG = 1009;

export interface ServerSocket {
  /** Never throws; does nothing once the socket is closed. */
  send(text: string): void;
  /** Bytes that were sent and that the network has not taken yet. */
  bufferedBytes(): number;
  /** Says goodbye with a code (1000, 1001, 1003, 1008, 1009, 1011-1013 or 4000-4999) and up to 123 bytes of reason. */
  close(code: number, reason: string): void;
  /** Ends the connection at once, without a goodbye. */
  drop(): void;
}

/** What the owner of a socket does with it. None of these may throw. */
export interface SocketHandler {
  opened(socket: ServerSocket): void;
  received(text: string): void;
  closed(): void;
}

interface Offer {
  handler: SocketHandler | null;
}

const offers = new WeakMap<Request, Offer>();

/** Whether the headers ask for a WebSocket, for servers that have to decide. */
export function asksForSocket(method: string | undefined, upgrade: string | null | undefined): boolean {
  return method === "GET" && upgrade?.toLowerCase() === "websocket";
}

/** Said by the server: this request can become a socket. */
export function offerSocket(request: Request): void {
  offers.set(request, { handler: null });
}

/** Whether this request can become a socket. */
export function isSocketOffered(request: Request): boolean {
  return offers.has(request);
}

/**
 * Takes the offer: once the handler has answered with the response that this returns (or any other success), the
 * request becomes a socket of `handler`, and the response is never sent. Throws a plain Error where there is no offer.
 */
export function acceptSocket(request: Request, handler: SocketHandler): Response {
  const offer = offers.get(request);
  if (!offer) throw new Error("Expected a request that can become a WebSocket, got another one.");
  offer.handler = handler;
  return new Response(null, { status: 204 });
}

/** Asked by the server once there is a response: the handler that accepted, or `null` when the response is the answer. */
export function acceptedSocket(request: Request, response: Response): SocketHandler | null {
  return response.ok ? (offers.get(request)?.handler ?? null) : null;
}
