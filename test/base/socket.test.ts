import { describe, expect, it } from "vitest";
import {
  acceptedSocket,
  acceptSocket,
  asksForSocket,
  isSocketOffered,
  offerSocket,
  type SocketHandler,
} from "../../src/base/socket.ts";

const handler: SocketHandler = { opened: () => {}, received: () => {}, closed: () => {} };
const request = (): Request =>
  new Request("http://127.0.0.1/", { headers: { upgrade: "websocket", connection: "upgrade" } });

describe("an offer", () => {
  it("is made by the server, not by headers", () => {
    const asking = request();
    expect(isSocketOffered(asking)).toBe(false);
    offerSocket(asking);
    expect(isSocketOffered(asking)).toBe(true);
  });

  it("is taken by a handler whose answer is a success", () => {
    const asking = request();
    offerSocket(asking);
    const response = acceptSocket(asking, handler);
    expect(acceptedSocket(asking, response)).toBe(handler);
    expect(acceptedSocket(asking, new Response(null, { status: 403 }))).toBeNull();
  });

  it("cannot be taken where there is none", () => {
    const asking = request();
    expect(() => acceptSocket(asking, handler)).toThrow("can become a WebSocket");
    expect(acceptedSocket(asking, new Response())).toBeNull();
    offerSocket(asking);
    expect(acceptedSocket(asking, new Response())).toBeNull();
  });
});

it.each([
  ["GET", "websocket", true],
  ["GET", "WebSocket", true],
  ["POST", "websocket", false],
  ["GET", "h2c", false],
  ["GET", undefined, false],
  ["GET", null, false],
])("%s with Upgrade: %s asks for a socket: %s", (method, upgrade, asks) => {
  expect(asksForSocket(method, upgrade)).toBe(asks);
});
