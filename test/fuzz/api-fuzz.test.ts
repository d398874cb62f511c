// A bounded run of the fuzz of the HTTP API, and proofs that it would notice: an API that breaks its own document.

import { afterEach, describe, expect, it } from "vitest";
import { fuzz, operationsOf } from "./api-fuzz.ts";
import { fuzzBox, type FuzzBox } from "./box.ts";
import { wrongWith } from "./json-schema.ts";

let box: FuzzBox | null = null;
afterEach(async () => {
  await box?.close();
  box = null;
});

async function fresh(): Promise<FuzzBox> {
  box = await fuzzBox();
  return box;
}

describe("the HTTP API, asked whatever its document allows", () => {
  it("answers as its document says, without a defect, and leaves a box in order", async () => {
    const made = await fresh();
    const { ask, document } = made;
    const report = await fuzz({ ask, document, requests: 1_500, seed: 7 });
    expect(report.violations).toEqual([]);
    expect(await made.wrong()).toEqual([]);
    // Most operations get through at least once: what is refused at the door proves little.
    const all = operationsOf(document).map(({ operationId }) => operationId);
    expect(all.filter((name) => !report.served.includes(name))).toEqual(["switchKey"]);
  });

  it.each([
    ["fails", () => new Response("", { status: 500 }), "500"],
    ["leaves the headers out", () => Response.json({ ok: true }), "without x-content-type-options"],
    ["says what the document does not", () => Response.json({ ok: "perhaps" }), "$.ok: is not true"],
    ["answers with another status", () => new Response(null, { status: 299 }), "299 is not in the document"],
  ])("(control) notices an API that %s", async (_what, answer, expected) => {
    const { document } = await fresh();
    const health = { ...document, paths: { "/healthz": document.paths["/healthz"] ?? {} } };
    const report = await fuzz({ ask: async () => answer(), document: health, requests: 5, seed: 1 });
    expect(report.violations.join("\n")).toContain(expected);
  });
});

describe("the schemas", () => {
  const all = { Id: { type: "string", pattern: "^t_" } };
  const schema = {
    type: "object",
    properties: {
      id: { $ref: "#/components/schemas/Id" },
      n: { anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }] },
    },
    required: ["id"],
    additionalProperties: false,
  };

  it.each([
    [{ id: "t_1", n: null }, []],
    [{ id: "t_1", n: 3 }, []],
    [{}, ["$.id: is missing"]],
    [{ id: "x" }, ["$.id: does not match ^t_"]],
    [{ id: "t_", n: 0 }, ["$.n: is none of the choices"]],
    [{ id: "t_", more: 1 }, ["$.more: is not in the schema"]],
    [[], ["$: is array, not object"]],
  ])("of %j say %j", (value, expected) => {
    expect(wrongWith(value, schema, { all })).toEqual(expected);
  });

  it("with a keyword that is not known are no proof of anything", () => {
    expect(wrongWith(1, { type: "integer", multipleOf: 2 }, { all: {} })[0]).toContain("multipleOf");
  });
});
