import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { search, searchUrl } from "../../src/toolsets/web-search.ts";
import { redirect, webStage, type Answer, type WebStage } from "../security/web-stage.ts";

let stage: WebStage;
beforeEach(async () => {
  stage = await webStage();
  // The operator's own search server may be on this machine.
  stage.names.set("search.internal", () => ["127.0.0.1"]);
});
afterEach(() => stage.close());

const PATH = "/search?q=c%C3%A1t+%26+dog&format=json";
const limits = { clock: systemClock, signal: new AbortController().signal };
const asked = (most = 5) =>
  search(
    { server: `http://search.internal:${stage.port}/`, query: "cát & dog", most },
    stage.options,
    limits,
  );
const json =
  (value: unknown): Answer =>
  (_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(value));
  };

test.each([
  ["http://s.test/", "http://s.test/search?q=a+b&format=json"],
  ["http://s.test:8080", "http://s.test:8080/search?q=a+b&format=json"],
  ["https://s.test/searx/search", "https://s.test/searx/search?q=a+b&format=json"],
])("%s is asked at %s", (server, url) => {
  expect(searchUrl(server, "a b").href).toBe(url);
});

test("what is found comes in order, cut to what is needed, and leads to the web only", async () => {
  stage.pages.set(
    PATH,
    json({
      query: "x",
      results: [
        { url: "https://one.test/a", title: "One\u001B[31m\n two", content: "w ".repeat(2_000), engine: "e" },
        { url: "javascript:alert(1)", title: "bad", content: "" },
        { url: "no address", title: "bad" },
        { url: "http://two.test/", title: null, content: null },
        { url: "http://three.test/" },
      ],
    }),
  );
  const hits = await asked();
  expect(hits.map(({ url }) => url)).toEqual([
    "https://one.test/a",
    "http://two.test/",
    "http://three.test/",
  ]);
  expect(hits[0]?.title).toBe("One[31m two");
  expect(hits[0]?.snippet).toHaveLength(500);
  expect(await asked(1)).toHaveLength(1);
});

test.each<[string, Answer, string]>([
  ["no JSON", (_, response) => void response.end("<html>"), "Expected JSON with a list of results"],
  ["another JSON", json({ results: "none" }), "Expected JSON with a list of results"],
  ["a refusal", (_, response) => void response.writeHead(403).end(), "needs json under search.formats"],
  ["a redirect", redirect("http://127.0.0.1/"), "answered 302"],
])("%s is a failure of the search", async (_, answer, words) => {
  stage.pages.set(PATH, answer);
  await expect(asked()).rejects.toThrow(
    expect.objectContaining({
      code: "search_failed",
      message: expect.stringContaining(words) as string,
    }) as Error,
  );
});

test("a server without an address is said to have none", async () => {
  stage.names.delete("search.internal");
  await expect(asked()).rejects.toThrow(/search\.internal:\d+ could not be read: ENOTFOUND/);
});
