// Who may open a WebSocket: the gate's names before the upgrade, the token in the first message, and how many.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connect } from "node:net";
import { READ_TOKEN, rig, type Rig, TOKEN } from "./rig.ts";
import { rawRequest, rawText } from "./raw-http.ts";
import { SocketClient } from "./socket-client.ts";

let box: Rig;
beforeEach(async () => {
  box = await rig({ gate: { allowedOrigins: ["https://dash.example"] } });
});
afterEach(() => box.close());

const ask = async (path: string, headers: Record<string, string> = {}): Promise<SocketClient> => {
  const client = new SocketClient(box, { path, headers });
  await client.ended();
  return client;
};

describe("the handshake", () => {
  it("T04 is refused for a foreign Host, before the upgrade", async () => {
    const client = await ask("/v1/events", { host: "evil.test" });
    expect([client.end, client.refusal]).toMatchObject([403, { code: "forbidden_host" }]);
  });

  it.each([
    "https://evil.test",
    "null",
    "http://localhost:3000",
    "http://127.0.0.1.evil.test",
    "https://127.0.0.1",
  ])("T06 is refused for the Origin %s, before the upgrade", async (origin) => {
    const client = await ask("/v1/events", { origin });
    expect([client.end, client.refusal]).toMatchObject([403, { code: "forbidden_origin" }]);
  });

  it("T06 is refused for our address under another name than was asked for", async () => {
    const client = await ask("/v1/events", { origin: `http://localhost:${box.server.port}` });
    expect(client.end).toBe(403);
    const other = await ask("/v1/events", { origin: `https://127.0.0.1:${box.server.port}` });
    expect(other.end).toBe(403);
  });

  it("takes the server's own origin, an allowed one, and none", async () => {
    for (const headers of [{ origin: box.server.url }, { origin: "https://dash.example" }, {}]) {
      const client = new SocketClient(box, { headers });
      await client.opened();
      client.say({ type: "hello", token: TOKEN });
      await client.until(() => client.welcome !== null);
      expect(client.welcome).toMatchObject({ store_id: "canned" });
      client.leave();
    }
  });

  it("takes the server's own origin for requests too, without a CORS header", async () => {
    const response = await box.request("/v1/tree", { headers: { origin: box.server.url } });
    expect(response.status).toBe(200);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("T09 opens nowhere else, with a token or without", async () => {
    const bearer = { authorization: `Bearer ${TOKEN}` };
    expect((await ask("/v1/tree")).end).toBe(401);
    expect((await ask("/v1/tree", bearer)).end).toBe(200);
    expect((await ask("/v1/events/", bearer)).end).toBe(404);
    expect((await ask("/healthz")).end).toBe(200);
    expect((await ask("/openapi.json")).end).toBe(401);
  });

  it("T09 gives the stream to nobody who merely says Upgrade", async () => {
    const shake = [
      "Upgrade: websocket",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
      "Sec-WebSocket-Version: 13",
    ];
    const noToken = (text: string): string => text.replace(/Authorization: .*\r\n/, "");
    const withBody = rawText(box, {
      method: "POST",
      target: "/v1/events",
      headers: [...shake, "Content-Length: 2", "Content-Type: application/json"],
      body: "{}",
    });
    expect((await rawRequest(box, noToken(withBody))).status).toBe(401);
    const unasked = noToken(rawText(box, { target: "/v1/events", headers: shake }));
    expect((await rawRequest(box, unasked)).status).toBe(401);
    const other = noToken(rawText(box, { target: "/v1/events", headers: ["Upgrade: h2c"] }));
    expect(
      (await rawRequest(box, other.replace("Connection: close", "Connection: Upgrade, close"))).status,
    ).toBe(401);
  });

  it("T03 reads no token from the query or a cookie", async () => {
    const client = new SocketClient(box, {
      path: `/v1/events?token=${TOKEN}`,
      headers: { cookie: `token=${TOKEN}` },
    });
    await client.opened();
    client.say({ type: "hello", token: "" });
    expect(await client.ended()).toBe(4401);
  });

  it("answers a handshake that is none, and holds no place for it", async () => {
    for (let turn = 0; turn < 70; turn += 1) {
      const text = rawText(box, {
        target: "/v1/events",
        headers: ["Upgrade: websocket", "Sec-WebSocket-Version: 13"],
      });
      const answer = await rawRequest(box, text.replace("Connection: close", "Connection: Upgrade"));
      expect(answer.status).toBe(400);
    }
    const client = await SocketClient.greeted(box);
    expect(client.welcome).not.toBeNull();
    client.leave();
  });
});

describe("the places", () => {
  it("are few for clients that have not said who they are", async () => {
    const strangers = await Promise.all(
      Array.from({ length: 64 }, async () => {
        const client = new SocketClient(box);
        await client.opened();
        return client;
      }),
    );
    const late = await ask("/v1/events");
    expect([late.end, late.refusal]).toMatchObject([429, { code: "too_many_sockets", limit: 64 }]);
    const [first, second] = strangers as [SocketClient, SocketClient];
    first.say({ type: "hello", token: TOKEN });
    await first.until(() => first.welcome !== null);
    const next = await SocketClient.greeted(box);
    expect(next.welcome).not.toBeNull();
    second.leave();
    await second.ended();
  });

  it("are given back when a client goes, with a goodbye or without", async () => {
    for (let round = 0; round < 3; round += 1) {
      const clients = await Promise.all(Array.from({ length: 60 }, () => SocketClient.greeted(box)));
      expect(clients.every(({ welcome }) => welcome !== null)).toBe(true);
      for (const client of clients) client.leave();
      await Promise.all(clients.map((client) => client.ended()));
    }
    const cut = connect(box.server.port, "127.0.0.1");
    cut.destroy();
    expect((await SocketClient.greeted(box)).welcome).not.toBeNull();
  });

  it("T16 need the scope read", async () => {
    await box.close();
    box = await rig({
      gate: { tokens: [{ token: READ_TOKEN, caller: { name: "x", scopes: ["control"], taskId: null } }] },
    });
    const client = new SocketClient(box);
    await client.opened();
    client.say({ type: "hello", token: READ_TOKEN });
    expect(await client.ended()).toBe(4403);
  });
});
