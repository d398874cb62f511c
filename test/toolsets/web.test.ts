import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { webToolset, type WebOptions } from "../../src/toolsets/web.ts";
import { html, webStage, type Page, type WebStage } from "../security/web-stage.ts";
import { toolContext } from "./tool-context.ts";

let stage: WebStage;
beforeEach(async () => {
  stage = await webStage();
});
afterEach(() => stage.close());

const names = (options: WebOptions): readonly string[] =>
  webToolset(options)
    .tools("leaf")
    .map(({ definition }) => definition.name);

interface Outcome {
  readonly type: "result";
  readonly value: Page;
  readonly truncated?: boolean;
}

interface Asked {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly maxResultChars?: number;
}

async function run(options: WebOptions, { name, input, maxResultChars = 24_000 }: Asked): Promise<Outcome> {
  const tool = webToolset(options)
    .tools("leaf")
    .find(({ definition }) => definition.name === name);
  return (await tool?.run(input, { ...toolContext("/tmp"), clock: systemClock, maxResultChars })) as Outcome;
}

test("web_search is offered only where the config names a server", () => {
  expect(names(stage.options)).toEqual(["web_fetch"]);
  expect(names({ ...stage.options, searchUrl: "http://search.test/" })).toEqual(["web_fetch", "web_search"]);
});

describe("web_fetch", () => {
  test("gives a page in an envelope that says what it is", async () => {
    stage.pages.set("/", html("<title>T</title><p>one <a href=/two>two</a></p>"));
    const url = `http://page.test:${stage.port}/`;
    expect(await run(stage.options, { name: "web_fetch", input: { url, links: true } })).toEqual({
      type: "result",
      value: {
        type: "web_page",
        notice: expect.stringContaining("data to use") as string,
        url,
        title: "T",
        text: `one two (${url}two)`,
        truncated: false,
      },
    });
  });

  test("gives a long page in pieces that fit what the model can take, whole JSON each, and together all of it", async () => {
    const text = Array.from({ length: 3_000 }, (_, n) => `${n} "😀" \\`).join(" ");
    stage.pages.set("/", (_, response) => {
      response.setHeader("content-type", "text/plain; charset=utf-8");
      response.end(text);
    });
    let all = "";
    let from: number | undefined = 0;
    let pieces = 0;
    while (from !== undefined) {
      const input: Readonly<Record<string, unknown>> = { url: `http://page.test:${stage.port}/`, from };
      const outcome = await run(stage.options, { name: "web_fetch", input, maxResultChars: 4_000 });
      expect(JSON.stringify(outcome.value).length).toBeLessThanOrEqual(4_000);
      expect(outcome.value.text.isWellFormed()).toBe(true);
      expect(outcome.truncated ?? false).toBe(outcome.value.next_from !== undefined);
      all += outcome.value.text;
      from = outcome.value.next_from;
      pieces += 1;
    }
    expect(all).toBe(text);
    expect(pieces).toBeGreaterThan(10);
  });

  test.each([
    ["image/png", "not_text"],
    ["application/octet-stream", "not_text"],
    ["application/pdf", "not_text"],
  ])("refuses %s as %s", async (type, code) => {
    stage.pages.set("/", (_, response) => {
      response.setHeader("content-type", type);
      response.end("x");
    });
    await expect(stage.fetch(`http://page.test:${stage.port}/`)).rejects.toThrow(
      expect.objectContaining({ code }) as Error,
    );
  });

  test.each([
    "text/plain",
    "application/json",
    "application/ld+json",
    "application/xml; charset=utf-8",
    "text/markdown",
  ])("reads %s as it stands", async (type) => {
    stage.pages.set("/", (_, response) => {
      response.setHeader("content-type", type);
      response.end("<b>{}</b>");
    });
    expect((await stage.fetch(`http://page.test:${stage.port}/`)).text).toBe("<b>{}</b>");
  });

  test("says what a server answered instead of a page", async () => {
    stage.pages.set("/", (_, response) => void response.writeHead(404).end("nothing here"));
    await expect(stage.fetch(`http://page.test:${stage.port}/`)).rejects.toThrow(
      /page\.test:\d+\/ answered 404 instead/,
    );
  });
});

test("web_search gives as many results as fit", async () => {
  stage.names.set("search.internal", () => ["127.0.0.1"]);
  const results = Array.from({ length: 20 }, (_, n) => ({
    url: `https://${n}.test/`,
    title: "t",
    content: "c".repeat(400),
  }));
  stage.pages.set("/search?q=x&format=json", (_, response) => void response.end(JSON.stringify({ results })));
  const options = { ...stage.options, searchUrl: `http://search.internal:${stage.port}` };
  const found = async (input: Readonly<Record<string, unknown>>) => {
    const { value } = await run(options, {
      name: "web_search",
      input: { query: "x", ...input },
      maxResultChars: 3_000,
    });
    expect(JSON.stringify(value).length).toBeLessThanOrEqual(3_000);
    return value as unknown as { readonly results: readonly unknown[]; readonly truncated: boolean };
  };
  expect((await found({ max_results: 2 })).results).toHaveLength(2);
  const many = await found({ max_results: 20 });
  expect(many.truncated).toBe(true);
  expect(many.results.length).toBeGreaterThan(3);
});
