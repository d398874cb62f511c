// Sockets on Node's server: the parts that the smoke program, which runs everywhere, does not ask.

import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { settle } from "../../src/base/clock.ts";
import { serveOnNode, type NodeServer } from "../../src/base/listen-node.ts";
import { acceptSocket, isSocketOffered, type ServerSocket } from "../../src/base/socket.ts";

const open: NodeServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.stop()));
});

interface Box {
  readonly server: NodeServer;
  readonly url: string;
  readonly sockets: ServerSocket[];
  readonly ended: string[];
}

async function box(handler?: (request: Request) => Response | Promise<Response>): Promise<Box> {
  const sockets: ServerSocket[] = [];
  const ended: string[] = [];
  const accept = (request: Request): Response =>
    isSocketOffered(request)
      ? acceptSocket(request, {
          opened: (socket) => sockets.push(socket),
          received: (text) => sockets.at(-1)?.send(`got ${text}`),
          closed: () => ended.push("closed"),
        })
      : new Response("plain");
  const server = await serveOnNode(handler ?? accept, { hostname: "127.0.0.1", port: 0 });
  open.push(server);
  return { server, url: `ws://127.0.0.1:${server.port}/`, sockets, ended };
}

const closed = (socket: WebSocket): Promise<number> =>
  new Promise((resolve) => {
    socket.on("error", () => {});
    socket.on("close", (code) => resolve(code));
  });

/** Sends the text and reads until the server closes. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket: Socket = connect(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (chunk) => (answer += String(chunk)));
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
  });
}

const SHAKE = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";

describe("a socket", () => {
  it("N1 is ended when the server stops, and so is one that is shaking hands", async () => {
    const { server, url, ended } = await box();
    const client = new WebSocket(url);
    await new Promise((resolve) => client.once("open", resolve));
    const stuck = await box(() => new Promise(() => {}));
    const shaking = raw(stuck.server.port, `GET / HTTP/1.1\r\nHost: x\r\n${SHAKE}\r\n`);
    await raw(stuck.server.port, "x");
    const end = closed(client);
    await Promise.all([server.stop(), stuck.server.stop()]);
    expect([1001, 1006]).toContain(await end);
    expect([await shaking, ended]).toEqual(["", ["closed"]]);
  });

  it("says how much waits for a client that takes nothing, and is dropped without waiting for it", async () => {
    const { url, sockets } = await box();
    const client = new WebSocket(url);
    await new Promise((resolve) => client.once("open", resolve));
    client.pause();
    const [socket] = sockets as [ServerSocket];
    const text = "x".repeat(1_000_000);
    for (let turn = 0; turn < 32; turn += 1) socket.send(text);
    expect(socket.bufferedBytes()).toBeGreaterThan(8_000_000);
    socket.drop();
    client.resume();
    expect(await closed(client)).toBe(1006);
    socket.send("nobody is there");
    socket.close(1000, "");
  });

  it("T11 ends on a message in too many pieces", async () => {
    const { url, ended } = await box();
    const client = new WebSocket(url);
    await new Promise((resolve) => client.once("open", resolve));
    const end = closed(client);
    for (let turn = 0; turn < 20_000; turn += 1) client.send("", { fin: false });
    expect([1006, 1008, 1009]).toContain(await end);
    while (ended.length === 0) await settle();
    expect(ended).toEqual(["closed"]);
  });

  it("T11 takes no compression", async () => {
    const { url } = await box();
    const client = new WebSocket(url, { perMessageDeflate: true });
    await new Promise((resolve) => client.once("open", resolve));
    expect(client.extensions).toBe("");
    client.close();
  });
});

describe("a refusal", () => {
  it("N2 is a plain answer, after which the connection ends", async () => {
    const { server } = await box(() => new Response("no", { status: 403, headers: { "x-why": "because" } }));
    const answer = await raw(server.port, `GET / HTTP/1.1\r\nHost: x\r\n${SHAKE}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 403 Refused\r\n/);
    expect(answer).toContain("x-why: because\r\n");
    expect(answer).toMatch(/connection: close\r\n[^]*\r\n\r\nno$/);
  });

  it("comes from ourselves where there is no request to ask with, or where the handler fails", async () => {
    const { server } = await box();
    expect(await raw(server.port, `GET / HTTP/1.1\r\nHost: a b\r\n${SHAKE}\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    const failing = await box(() => {
      throw new Error("a defect");
    });
    const answer = await raw(failing.server.port, `GET / HTTP/1.1\r\nHost: x\r\n${SHAKE}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
  });

  it("tells whoever accepted when the handshake comes to nothing", async () => {
    const { server, sockets, ended } = await box();
    const answer = await raw(server.port, `GET / HTTP/1.1\r\nHost: x\r\n${SHAKE}\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect([sockets, ended]).toEqual([[], ["closed"]]);
  });

  it("is not needed where another protocol is asked for: the request is answered as it is", async () => {
    const { server } = await box();
    const answer = await raw(
      server.port,
      "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n",
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*plain/);
  });
});
