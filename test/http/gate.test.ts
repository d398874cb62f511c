import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Headings, READ_TOKEN, rig, type Rig, TOKEN } from "./rig.ts";
import { type RawParts, rawRequest, rawText } from "./raw-http.ts";

let box: Rig;
let seen: string[];
beforeAll(async () => {
  seen = [];
  box = await rig({
    wrap: (api, caller) => {
      seen.push(caller.scopes.join(","));
      return api;
    },
  });
});
afterAll(() => box.close());

/** Every method and path that the router knows, with something in place of the parameters. */
const routes = (): { method: string; path: string }[] => {
  const known = box.app.routes
    .filter(({ method }) => method !== "ALL")
    .map(({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, "agent")}`);
  return [...new Set(known)].map((line) => {
    const [method = "", path = ""] = line.split(" ");
    return { method, path };
  });
};

const status = async (path: string, headers: Headings, method = "GET"): Promise<number> => {
  const response = await fetch(box.server.url + path, { method, headers });
  await response.body?.cancel();
  return response.status;
};
const raw = (parts: RawParts) => rawRequest(box, rawText(box, parts));

describe("T01 without a token", () => {
  it("every route of the router but /healthz answers 401 and nothing else", async () => {
    const all = routes();
    expect(all.length).toBeGreaterThanOrEqual(23);
    const answers = await Promise.all(
      all.map(async ({ method, path }) => `${await status(path, {}, method)} ${method} ${path}`),
    );
    expect(answers.filter((line) => !line.startsWith("401 "))).toEqual(["200 GET /healthz"]);
    expect(seen).toEqual([]);
  });

  it.each([
    "/",
    "/docs",
    "/metrics",
    "/health/details",
    "/v1",
    "/v1/inspect",
    "/index.html",
    "/healthz/",
    "//healthz",
  ])("%s answers 401 too: it does not even say whether it exists", async (path) => {
    expect(await status(path, {})).toBe(401);
  });

  it.each(["OPTIONS", "HEAD", "PUT", "PATCH"])("%s answers 401 too", async (method) => {
    expect(await status("/v1/tasks", {}, method)).toBe(401);
  });

  it("T1 the refusal is a problem document without state, and asks for a bearer token", async () => {
    const response = await fetch(`${box.server.url}/v1/tasks/agent`);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("www-authenticate")).toContain("Bearer");
    expect(Object.keys((await response.json()) as object).toSorted()).toEqual(
      ["code", "detail", "status", "title", "type"].toSorted(),
    );
  });

  it("/healthz holds no data", async () => {
    const response = await fetch(`${box.server.url}/healthz`);
    expect([response.status, await response.text()]).toEqual([200, '{"ok":true}']);
  });
});

describe("T02 a wrong token", () => {
  const wrong: Readonly<Record<string, string>> = {
    "one of the same length": `Bearer ${"ac".repeat(32)}`,
    "a prefix": `Bearer ${TOKEN.slice(0, -1)}`,
    "a longer one": `Bearer ${TOKEN}0`,
    "an empty one": "Bearer ",
    "no scheme": TOKEN,
    "another scheme": `Basic ${TOKEN}`,
    "Bearer twice": `Bearer Bearer ${TOKEN}`,
    "two tokens": `Bearer ${TOKEN}, Bearer ${TOKEN}`,
    "two words": `Bearer ${TOKEN} x`,
    capitals: `Bearer ${TOKEN.toUpperCase()}`,
    "a very long one": `Bearer ${"a".repeat(8_000)}`,
  };
  it.each(Object.keys(wrong))("%s is 401", async (name) => {
    expect(await status("/v1/status", { authorization: wrong[name] as string })).toBe(401);
  });

  it("the right one is let in, whatever the case of the scheme", async () => {
    expect(await status("/v1/status", { authorization: `Bearer ${TOKEN}` })).toBe(200);
    expect(await status("/v1/status", { authorization: `bearer ${TOKEN}` })).toBe(200);
  });

  it("a second Authorization header does not help", async () => {
    const answer = await rawRequest(
      box,
      `GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1:${box.server.port}\r\nConnection: close\r\n` +
        `Authorization: Bearer wrong\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`,
    );
    expect([400, 401]).toContain(answer.status);
  });
});

describe("T03 a token elsewhere", () => {
  it.each(["token", "access_token", "authorization", "key"])("in the query as %s is 401", async (name) => {
    expect(await status(`/v1/status?${name}=${TOKEN}`, {})).toBe(401);
  });

  it("in a cookie is 401", async () => {
    expect(await status("/v1/status", { cookie: `token=${TOKEN}; authorization=Bearer ${TOKEN}` })).toBe(401);
  });

  it("in another header is 401", async () => {
    expect(await status("/v1/status", { "x-api-key": TOKEN, "proxy-authorization": `Bearer ${TOKEN}` })).toBe(
      401,
    );
  });
});

describe("T08 bodies", () => {
  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", null])(
    "a body as %s is 415, and no task is made",
    async (type) => {
      const headers: Headings = type === null ? {} : { "content-type": type };
      const body = new Blob(['{"goal":"x"}']);
      const response = await box.request("/v1/tasks", { method: "POST", body, headers });
      expect(response.status).toBe(415);
      expect(((await response.json()) as { code: string }).code).toBe("unsupported_media_type");
      expect((await box.api.list()).items).toEqual([]);
    },
  );

  it("is refused before routing, and before anything is read", async () => {
    expect(await status("/v1/nothing", { authorization: `Bearer ${TOKEN}` }, "POST")).toBe(404);
    const response = await box.request("/v1/nothing", { method: "POST", body: "x" });
    expect(response.status).toBe(415);
  });
});

describe("T14 framing", () => {
  it.each([
    ["two lengths", ["Content-Length: 2", "Content-Length: 3"]],
    ["a length and chunks", ["Content-Length: 2", "Transfer-Encoding: chunked"]],
    ["a length that is none", ["Content-Length: 2x"]],
  ])("%s is 400", async (_name, lines) => {
    const answer = await raw({
      method: "POST",
      target: "/v1/tasks",
      headers: ["Content-Type: application/json", ...lines],
      body: "{}",
    });
    expect(answer.status).toBe(400);
  });
});

describe("T15 forwarding headers", () => {
  it("change nothing", async () => {
    const forwarded = [
      "X-Forwarded-For: 127.0.0.1",
      "X-Forwarded-Host: localhost",
      "X-Real-IP: 127.0.0.1",
      "Forwarded: for=127.0.0.1;host=localhost",
      "X-Original-URL: /healthz",
      "X-HTTP-Method-Override: GET",
    ];
    expect((await raw({ host: `evil.test:${box.server.port}`, headers: forwarded })).status).toBe(403);
    const response = await fetch(`${box.server.url}/v1/status`, {
      headers: {
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-host": "localhost",
        "x-original-url": "/healthz",
      },
    });
    expect(response.status).toBe(401);
  });
});

describe("T16 scopes", () => {
  it("a token that may read reads, and changes nothing", async () => {
    const authorization = `Bearer ${READ_TOKEN}`;
    const answers = await Promise.all(
      routes().map(async ({ method, path }) => {
        const response = await box.request(path, { method, headers: { authorization } });
        const { code } = response.ok ? { code: "" } : ((await response.json()) as { code: string });
        return { method, path, code };
      }),
    );
    const refused = answers.filter(({ code }) => code === "insufficient_scope");
    expect(refused.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
      answers
        .filter(({ method }) => method !== "GET")
        .map(({ method, path }) => `${method} ${path}`)
        .toSorted(),
    );
  });

  it("the API is asked for in the name of the token's caller", async () => {
    seen.length = 0;
    await box.request("/v1/status", { headers: { authorization: `Bearer ${READ_TOKEN}` } });
    await box.request("/v1/status");
    expect(seen).toEqual(["read", "read,control,admin"]);
  });
});

describe("every answer", () => {
  it("T20 forbids guessing, storing and framing", async () => {
    const paths = ["/healthz", "/v1/status", "/nothing", "/v1/tasks/none", "/openapi.json"];
    for (const path of paths) {
      const { headers } = await box.request(path);
      expect(Object.fromEntries(headers.entries())).toMatchObject({
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "content-security-policy": expect.stringContaining("default-src 'none'"),
        "referrer-policy": "no-referrer",
      });
    }
  });
});
