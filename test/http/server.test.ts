import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Logger, silentLogger } from "../../src/base/log.ts";
import { rig, TOKEN, type Rig } from "./rig.ts";

type Json = Record<string, unknown>;

let box: Rig;
let document: Json;
const logged: { message: string; fields: unknown }[] = [];
const logger: Logger = { ...silentLogger, error: (message, fields) => logged.push({ message, fields }) };

beforeAll(async () => {
  box = await rig({
    logger,
    wrap: (api) =>
      new Proxy(api, {
        get(target, key): unknown {
          if (key === "gpus") return () => Promise.reject(new TypeError("key=hunter2 at /home/me/inside.ts"));
          const value: unknown = Reflect.get(target, key);
          return typeof value === "function" ? value.bind(target) : value;
        },
      }),
  });
  document = (await (await box.request("/openapi.json")).json()) as Json;
});
afterAll(() => box.close());

/** Every object in the document, with its path. */
function* objects(value: unknown, at = "#"): Generator<[string, Json]> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield [at, value as Json];
  for (const [key, item] of Object.entries(value)) yield* objects(item, `${at}/${key}`);
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: string[];
  readonly parameters?: { readonly in: string; readonly name: string; readonly required?: boolean }[];
  readonly requestBody?: { readonly content: Json };
  readonly responses: Record<string, { readonly description: string; readonly content?: Json }>;
  readonly security?: unknown[];
}

function operations(): [string, Operation][] {
  const paths = document["paths"] as Record<string, Record<string, Operation>>;
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
}

describe("/openapi.json", () => {
  it("is a 3.1 document with a version and a security scheme for everything", () => {
    expect(document).toMatchObject({
      openapi: expect.stringMatching(/^3\.1\.\d+$/),
      info: { title: "Troupe", version: "1.2.3" },
      security: [{ bearer: [] }],
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } } },
    });
  });

  it("holds every route of the router, and no other", () => {
    const routed = box.app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
    expect(
      operations()
        .map(([name]) => name)
        .toSorted(),
    ).toEqual([...new Set(routed)].toSorted());
    expect(operations().length).toBeGreaterThanOrEqual(23);
  });

  it("gives each operation an id of its own, words, answers and its path's parameters", () => {
    const ids = operations().map(([, operation]) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [name, operation] of operations()) {
      expect(operation.summary, name).toMatch(/\.$/);
      expect(operation.tags).toHaveLength(1);
      const answers = Object.entries(operation.responses);
      expect(answers.filter(([status]) => /^2\d\d$/.test(status)).length).toBeGreaterThanOrEqual(1);
      expect(answers.filter(([, answer]) => answer.description === "")).toEqual([]);
      expect(answers.filter(([, answer]) => !answer.content).map(([status]) => status)).toEqual(
        name === "POST /v1/tasks/{id}/progress" ? ["204"] : [],
      );
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
      expect(inPath.every((parameter) => parameter.required === true)).toBe(true);
      const braces = [...name.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      expect(inPath.map((parameter) => parameter.name)).toEqual(braces);
    }
  });

  it("describes a body for every POST, and problem documents everywhere behind the gate", () => {
    for (const [name, operation] of operations()) {
      expect([name, operation.requestBody !== undefined]).toEqual([name, name.startsWith("POST ")]);
      const refusal = operation.responses["default"]?.content ?? {};
      expect([name, Object.keys(refusal)]).toEqual([
        name,
        name === "GET /healthz" ? [] : ["application/problem+json"],
      ]);
    }
  });

  it("resolves every reference, and uses every component", () => {
    const schemas = (document["components"] as Json)["schemas"] as Json;
    const refs = new Set<string>();
    for (const [, object] of objects(document)) {
      if (typeof object["$ref"] === "string") refs.add(object["$ref"]);
    }
    expect([...refs].toSorted()).toEqual(
      Object.keys(schemas)
        .map((name) => `#/components/schemas/${name}`)
        .toSorted(),
    );
  });

  it("holds only schemas of JSON Schema 2020-12: no nullable, no $defs left, known types", () => {
    const types = new Set<unknown>(["string", "number", "integer", "boolean", "object", "array", "null"]);
    const odd: string[] = [];
    for (const [at, object] of objects(document)) {
      if ("nullable" in object || "$defs" in object || "definitions" in object) odd.push(at);
      const type = object["type"];
      const isSchema =
        /\/(schema|items|additionalProperties)$|\/(properties|schemas|anyOf|oneOf)\/[^/]+$/.test(at);
      if (isSchema && type !== undefined && ![type].flat().every((word) => types.has(word))) odd.push(at);
    }
    expect(odd).toEqual([]);
  });

  it("says of the strict bodies that they are", () => {
    const schemas = (document["components"] as Json)["schemas"] as Record<string, Json>;
    expect(schemas["DelegateRequest"]).toMatchObject({ additionalProperties: false, required: ["goal"] });
    expect(schemas["DelegateRequest"]?.["properties"]).toMatchObject({ goal: { maxLength: 100_000 } });
  });
});

describe("an error inside", () => {
  it("is not what a caller makes that breaks off sending: nothing is logged", async () => {
    const body = new ReadableStream({ pull: (controller) => controller.error(new TypeError("terminated")) });
    const request = new Request(`${box.server.url}/v1/tasks`, {
      method: "POST",
      headers: {
        host: `127.0.0.1:${box.server.port}`,
        authorization: `Bearer ${TOKEN}`,
        "content-type": "application/json",
      },
      body,
      duplex: "half",
    } as RequestInit);
    const response = await box.app.fetch(request);
    expect([response.status, (await response.json()) as Json]).toMatchObject([503, { code: "cancelled" }]);
    expect(logged).toEqual([]);
  });

  it("H1 is a 500 without a word of it, and stands in the log under the request's id", async () => {
    const response = await box.request("/v1/gpus");
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(text).not.toMatch(/hunter2|inside\.ts|TypeError/);
    const { request_id: id, code } = JSON.parse(text) as { request_id: string; code: string };
    expect(code).toBe("internal");
    expect(id).toMatch(/^req_[0-9a-f]{32}$/);
    expect(logged).toHaveLength(1);
    expect(logged[0]?.fields).toMatchObject({ request_id: id, cause: expect.stringContaining("TypeError") });
  });
});
