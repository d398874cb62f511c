// The static shell over a real socket: public, without data, exactly its files, and under a policy of its own.

import { createHash } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Shell } from "../../src/http/shell.ts";
import { ROOT } from "../architecture/tree.ts";
import { rawRequest, rawText } from "./raw-http.ts";
import { rig, TOKEN, type Rig } from "./rig.ts";

let box: Rig;
let page: string;
let paths: readonly string[];
beforeAll(async () => {
  box = await rig({ shell: new Shell({ folder: join(ROOT, "web") }) });
  page = await (await fetch(`${box.server.url}/`)).text();
  paths = [...page.matchAll(/"(\/app\/[^"]+)"/g)].map((match) => match[1] ?? "");
});
afterAll(() => box.close());

const get = (
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): Promise<Response> => fetch(box.server.url + path, { method, headers });
const raw = async (target: string): Promise<number> =>
  (await rawRequest(box, rawText(box, { target }))).status;

describe("the page", () => {
  it("comes without a token, names no secret, and its places are filled", async () => {
    const response = await get("/");
    expect([response.status, response.headers.get("content-type")]).toEqual([
      200,
      "text/html; charset=utf-8",
    ]);
    expect(page).not.toContain(TOKEN);
    expect(page).not.toMatch(/%APP%|<!--/);
    expect(paths.length).toBeGreaterThan(10);
  });

  it("W3 has nothing inline but the import map, whose hash stands in its policy", async () => {
    const policy = (await get("/")).headers.get("content-security-policy") ?? "";
    const inline = [...page.matchAll(/<script([^>]*)>([^<]+)<\/script>/g)];
    expect(inline.map((match) => match[1])).toEqual([' type="importmap"']);
    const hash = createHash("sha256")
      .update(inline[0]?.[2] ?? "")
      .digest("base64");
    expect(policy).toContain(`script-src 'self' 'sha256-${hash}';`);
    expect(policy).toMatch(/^default-src 'none';/);
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:|blob:/);
    expect(page).not.toMatch(/<style|\sstyle=|\son[a-z]+=/i);
  });

  it("is asked for anew each time, and costs nothing while it is the same", async () => {
    const first = await get("/");
    const etag = first.headers.get("etag") ?? "";
    expect(first.headers.get("cache-control")).toBe("no-cache");
    const again = await get("/", { "if-none-match": etag });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  it("answers HEAD without a body, and takes no other method", async () => {
    const head = await get("/", {}, "HEAD");
    expect([head.status, await head.text()]).toEqual([200, ""]);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
      expect((await get("/", {}, method)).status).toBe(401);
  });
});

describe("its files", () => {
  it("come without a token, with their types, and are kept for good", async () => {
    for (const path of paths) {
      const response = await get(path);
      expect([path, response.status]).toEqual([path, 200]);
      expect(response.headers.get("content-type")).toMatch(
        path.endsWith(".css") ? /^text\/css/ : path.endsWith(".svg") ? /^image\/svg/ : /^text\/javascript/,
      );
      expect(response.headers.get("cache-control")).toContain("immutable");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect((await response.text()).length).toBeGreaterThan(0);
    }
  });

  it("W1 are exactly those of the list: nothing else is found, however it is written, with the token too", async () => {
    const base = (paths[0] ?? "").split("/").slice(0, 3).join("/");
    const elsewhere = [
      "/app/",
      `${base}/`,
      `${base}/index.html`,
      `${base}/../../package.json`,
      `${base}/%2e%2e/%2e%2e/package.json`,
      `${base}/..%2f..%2fpackage.json`,
      `${base}/view/../../../src/version.ts`,
      `${base}//main.js`,
      `${base}/main.js/`,
      `${base}/MAIN.JS`,
      `${base}/main.js%00`,
      "/app/000000000000/main.js",
      "/package.json",
      "/web/main.js",
    ];
    const answers = await Promise.all(elsewhere.map(async (path) => [path, await raw(path)]));
    expect(answers).toEqual(elsewhere.map((path) => [path, 404]));
  });

  it("do not open anything else: data still asks for the token", async () => {
    expect((await get("/v1/tree")).status).toBe(401);
    expect((await box.request("/v1/tree")).status).toBe(200);
  });

  it("T3 a foreign Host gets none of it", async () => {
    const answer = await rawRequest(box, rawText(box, { target: "/", host: "evil.test" }));
    expect(answer.status).toBe(403);
  });
});

it("T5 the page may call the server that it came from, and one on another port may not", async () => {
  const own = { origin: box.server.url, authorization: `Bearer ${TOKEN}` };
  expect((await get("/v1/status", own)).status).toBe(200);
  for (const origin of [`http://127.0.0.1:${box.server.port + 1}`, `https://127.0.0.1:${box.server.port}`]) {
    expect((await get("/v1/status", { ...own, origin })).status).toBe(403);
  }
});

it("without a shell there is none", async () => {
  const bare = await rig();
  expect((await fetch(`${bare.server.url}/`)).status).toBe(401);
  await bare.close();
});
