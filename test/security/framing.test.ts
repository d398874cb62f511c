// T14: requests that two readers of one connection would cut in different places. What a proxy before us took for a body
// must never be a request here, so whatever is not plain is refused, and its connection ends. The control is the same
// server of Node with its lenient parser.

import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rig, type Rig, TOKEN } from "../http/rig.ts";

/** What is meant to get through: the second request, which nobody before us has seen as one. */
const SMUGGLED = "/v1/status";

let box: Rig;
let lenient: Server;
let reached: string[];
let calls: string[];
beforeAll(async () => {
  calls = [];
  box = await rig({
    wrap: (api) =>
      new Proxy(api, {
        get: (target, key) => {
          calls.push(String(key));
          return Reflect.get(target, key) as unknown;
        },
      }),
  });
  lenient = createServer({ insecureHTTPParser: true }, (request, response) => {
    reached.push(request.url ?? "");
    request.resume().on("end", () => response.end("ok"));
  });
  await new Promise<void>((done) => lenient.listen(0, "127.0.0.1", done));
});
afterAll(async () => {
  await box.close();
  lenient.closeAllConnections();
  await new Promise((done) => lenient.close(done));
});

/** Sends the bytes and reads until the server closes. */
function sendTo(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.end(text, "latin1"));
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => (answer += String(chunk)));
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
  });
}

/** A POST with these lines about its body, and a second request in what follows. */
function attack(port: number, lines: readonly string[], body: (second: string) => string): string {
  const own = [`Host: 127.0.0.1:${port}`, `Authorization: Bearer ${TOKEN}`];
  const second = [`GET ${SMUGGLED} HTTP/1.1`, ...own, "Connection: close", "", ""].join("\r\n");
  const head = ["POST /v1/none HTTP/1.1", ...own, "Content-Type: application/json", ...lines].join("\r\n");
  return `${head}\r\n\r\n${body(second)}`;
}

const after = (before: string) => (second: string) => before + second;

const ATTACKS: readonly (readonly [
  what: string,
  lines: readonly string[],
  body: (second: string) => string,
])[] = [
  ["two lengths", ["Content-Length: 2", "Content-Length: 0"], after("{}")],
  ["two lengths in one line", ["Content-Length: 2, 0"], after("{}")],
  ["a length and chunks", ["Content-Length: 5", "Transfer-Encoding: chunked"], after("0\r\n\r\n")],
  ["chunks and a length", ["Transfer-Encoding: chunked", "Content-Length: 5"], after("0\r\n\r\n")],
  ["another encoding behind chunks", ["Transfer-Encoding: chunked, identity"], after("0\r\n\r\n")],
  ["an unknown encoding", ["Transfer-Encoding: xchunked"], after("0\r\n\r\n")],
  ["chunks twice", ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], after("0\r\n\r\n")],
  ["a space before the colon", ["Transfer-Encoding : chunked"], after("0\r\n\r\n")],
  ["a folded line", ["X-A: b", " Transfer-Encoding: chunked"], after("0\r\n\r\n")],
  ["a length with a sign", ["Content-Length: +2"], after("{}")],
  ["a length in hex", ["Content-Length: 0x2"], after("{}")],
  ["a length below nothing", ["Content-Length: -1"], after("{}")],
  ["a NUL in a header", ["X-A: a\u0000b", "Content-Length: 2"], after("{}")],
  ["a bare return in a header", ["X-A: a\rTransfer-Encoding: chunked", "Content-Length: 2"], after("{}")],
  ["a chunk's size that is none", ["Transfer-Encoding: chunked"], after("2x\r\n{}\r\n0\r\n\r\n")],
  [
    "a chunk's size too large to hold",
    ["Transfer-Encoding: chunked"],
    after("fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
  ],
  ["a chunk longer than it says", ["Transfer-Encoding: chunked"], after("1\r\n{}\r\n0\r\n\r\n")],
];

describe("T14 framing", () => {
  it.each(ATTACKS)("%s is refused, and nothing behind it is a request", async (_what, lines, body) => {
    calls.length = 0;
    const answer = await sendTo(box.server.port, attack(box.server.port, lines, body));
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect([calls, answer.includes("HTTP/1.1 2")]).toEqual([[], false]);
  });

  it("(control) a lenient server takes the second one for a request of its own", async () => {
    const { port } = lenient.address() as AddressInfo;
    const through: string[] = [];
    for (const [what, lines, body] of ATTACKS) {
      reached = [];
      await sendTo(port, attack(port, lines, body));
      if (reached.includes(SMUGGLED)) through.push(what);
    }
    expect(through).toEqual(expect.arrayContaining(["a length and chunks", "chunks and a length"]));
  });

  it("(control) two requests in a row that are plain are both answered", async () => {
    calls.length = 0;
    await sendTo(box.server.port, attack(box.server.port, ["Content-Length: 2"], after("{}")));
    expect(calls).toEqual(["status"]);
  });
});
