// T23: what a request can set, asked of the API's own document, beside a server that takes what it is sent.

import { Hono } from "hono";
import { afterEach, describe, expect, it } from "vitest";
import { rig, type Rig } from "../http/rig.ts";
import { documentOf, operationsOf, type OpenApi, type Operation } from "./openapi-document.ts";

const open: Rig[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function box(): Promise<Rig> {
  const made = await rig();
  open.push(made);
  return made;
}

/** What could name a program to run, its surroundings, or the walls around it. */
const DANGEROUS =
  /exec|command|binary|program|argv|shell|\benv|environ|sandbox|unsafe|isolation|\bcwd|base_url|\burl\b|endpoint|headers?$|api_?keys?|secret|password|plugin|module|script|hook|mcp|path$/i;

/** Inputs that sound like one of these, and why they are none. */
const HARMLESS: Readonly<Record<string, string>> = {
  isolation:
    "asks for a worktree of its own; what the config keeps apart, no request puts together (ADR 0040)",
};

/** Names of properties below a schema, with references followed once each. */
function* propertiesOf(schema: unknown, document: OpenApi, seen = new Set<unknown>()): Generator<string> {
  if (typeof schema !== "object" || schema === null || seen.has(schema)) return;
  seen.add(schema);
  if ("$ref" in schema && typeof schema.$ref === "string") {
    yield* propertiesOf(document.components.schemas[schema.$ref.split("/").at(-1) ?? ""], document, seen);
  }
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties" && typeof value === "object" && value !== null)
      yield* Object.keys(value as object);
    yield* propertiesOf(value, document, seen);
  }
}

function inputsOf(document: OpenApi): readonly string[] {
  return operationsOf(document).flatMap((operation) => {
    const { parameters = [], requestBody } = operation as unknown as {
      readonly parameters?: readonly { readonly name: string }[];
      readonly requestBody?: unknown;
    };
    const names = [...parameters.map(({ name }) => name), ...propertiesOf(requestBody, document)];
    return names.map((name) => `${operation.operationId} ${name}`);
  });
}

describe("T23 what a request can set", () => {
  it("is no program, no environment, no address and no wall: no operation has an input for one", async () => {
    const inputs = inputsOf(await documentOf(await box()));
    expect(inputs).toContain("delegateTask goal");
    expect(inputs).toContain("delegateTask workspace");
    expect(inputs).toContain("delegateTask tokens");
    expect(inputs.length).toBeGreaterThan(40);
    const names = inputs.map((input) => input.split(" ")[1] ?? "");
    expect(names.filter((name) => DANGEROUS.test(name) && !(name in HARMLESS))).toEqual([]);
    expect(Object.keys(HARMLESS).filter((name) => !names.includes(name))).toEqual([]);
  });

  it("(control) an input that could would be found", () => {
    const schema = { properties: { agent: { $ref: "#/components/schemas/Agent" } } };
    const document: OpenApi = {
      paths: { "/v1/x": { post: { operationId: "x", requestBody: { schema } } as Operation } },
      components: {
        schemas: { Agent: { type: "object", properties: { sandbox: {}, base_url: {}, env: {} } } },
      },
    };
    const found = inputsOf(document).filter((input) => DANGEROUS.test(input.split(" ")[1] ?? ""));
    expect(found).toEqual(["x sandbox", "x base_url", "x env"]);
  });

  it("is refused by name where it is tried anyway, and no path writes the config", async () => {
    const served = await box();
    for (const key of ["env", "command", "sandbox", "unsafe", "base_url", "terminal"]) {
      const response = await served.post("/v1/tasks", { goal: "x", [key]: "/bin/sh" });
      expect([key, response.status, await response.text()]).toEqual([key, 400, expect.stringContaining(key)]);
    }
    for (const path of ["/v1/config", "/v1/tools", "/v1/tokens", "/v1/agents", "/v1/providers"]) {
      for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
        const response = await served.request(path, { method });
        expect([path, method, [404, 405].includes(response.status)]).toEqual([path, method, true]);
        await response.body?.cancel();
      }
    }
    expect((await served.api.list()).items).toEqual([]);
  });

  it("(control) a server that takes what it is sent would have made it", async () => {
    const made: unknown[] = [];
    const naive = new Hono().post("/v1/tasks", async (c) => {
      made.push(await c.req.json());
      return c.body(null, 202);
    });
    await naive.request("/v1/tasks", { method: "POST", body: '{"goal":"x","env":{"PATH":"/evil"}}' });
    expect(made).toEqual([{ goal: "x", env: { PATH: "/evil" } }]);
  });
});
