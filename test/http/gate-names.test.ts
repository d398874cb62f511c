// The gate's Host and Origin lists: what a rebinding name server or a foreign page can set.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RawParts, rawRequest, rawText } from "./raw-http.ts";
import { rig, type Rig, TOKEN } from "./rig.ts";

let box: Rig;
beforeAll(async () => {
  box = await rig({
    gate: { allowedHosts: ["box.lan", "named.lan:8080"], allowedOrigins: ["https://dash.example"] },
  });
});
afterAll(() => box.close());

const raw = (parts: RawParts) => rawRequest(box, rawText(box, parts));
const withPort = (host: string): string => `${host}:${box.server.port}`;

describe("T04 the Host", () => {
  it.each(["127.0.0.1", "localhost", "LocalHost", "[::1]"])("%s with our port is answered", async (name) => {
    expect((await raw({ host: withPort(name) })).status).toBe(200);
  });

  it.each(["box.lan", "box.lan:1", "BOX.LAN:443", "named.lan:8080"])(
    "configured %s is answered",
    async (host) => {
      expect((await raw({ host })).status).toBe(200);
    },
  );

  it("T3 a foreign one is 403, even with the token and on /healthz", async () => {
    const hosts = [
      withPort("evil.test"),
      "evil.test",
      "127.0.0.1",
      "localhost",
      "127.0.0.1:1",
      withPort("127.0.0.2"),
      withPort("127.0.0.1.evil.test"),
      withPort("0.0.0.0"),
      withPort("evil.box.lan"),
      "named.lan",
      "named.lan:8081",
    ];
    for (const host of hosts) {
      const answers = await Promise.all([
        raw({ host }),
        raw({ host, target: "/healthz" }),
        raw({
          host,
          method: "POST",
          target: "/v1/tasks",
          headers: ["Content-Type: application/json", "Content-Length: 12"],
          body: '{"goal":"x"}',
        }),
      ]);
      expect([host, ...answers.map((answer) => answer.status)]).toEqual([host, 403, 403, 403]);
    }
    expect((await box.api.list()).items).toEqual([]);
  });

  it.each(["evil.test@127.0.0.1", "a b", "[::1", "127.0.0.1:99999999", ""])(
    "a malformed %j is refused",
    async (host) => {
      expect([400, 403]).toContain((await raw({ host })).status);
    },
  );

  it("none at all is refused", async () => {
    expect((await raw({ host: null })).status).toBe(400);
    const old = await rawRequest(box, `GET /v1/status HTTP/1.0\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
    expect(old.status).toBe(403);
  });

  it("a request line that names another host than the header is 403", async () => {
    expect((await raw({ target: `http://evil.test:${box.server.port}/v1/status` })).status).toBe(403);
  });
});

describe("T06 the Origin", () => {
  it("a foreign one is 403, with the token too", async () => {
    const { port } = box.server;
    const origins = [
      "https://evil.test",
      "null",
      "http://localhost:3000",
      "http://127.0.0.1.evil.test",
      `http://127.0.0.1:${port}.evil.test`,
      "https://dash.example.evil.test",
      "http://dash.example",
      "https://dash.example:8443",
      "https://DASH.example",
      "file://",
      "",
    ];
    const answers = await Promise.all(origins.map((origin) => raw({ headers: [`Origin: ${origin}`] })));
    expect(answers.map((answer) => answer.status)).toEqual(origins.map(() => 403));
  });

  it("an allowed one is answered, without a CORS header", async () => {
    const answer = await raw({ headers: ["Origin: https://dash.example"] });
    expect(answer.status).toBe(200);
    expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  it("T07 a preflight gets no CORS header, from anywhere", async () => {
    for (const origin of ["https://evil.test", "https://dash.example"]) {
      const answer = await raw({
        method: "OPTIONS",
        target: "/v1/tasks",
        headers: [
          `Origin: ${origin}`,
          "Access-Control-Request-Method: POST",
          "Access-Control-Request-Private-Network: true",
        ],
      });
      expect(answer.status).toBe(origin.includes("evil") ? 403 : 405);
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    }
  });
});
