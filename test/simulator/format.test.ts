import { describe, expect, test } from "vitest";
import { formatted } from "../../src/simulator/format.ts";

const read = (format: unknown, text = "the answer"): unknown =>
  JSON.parse(formatted(text, format)) as unknown;

describe("an answer that fits a schema", () => {
  test("`json` gives an object with the answer", () => {
    expect(read("json")).toEqual({ answer: "the answer" });
  });

  test.each([
    ["string", { type: "string" }, "the answer"],
    ["string with a limit", { type: "string", maxLength: 3 }, "the"],
    ["string with a least length", { type: "string", minLength: 12 }, "the answer.."],
    ["integer", { type: "integer", minimum: 3 }, 3],
    ["number", { type: "number" }, 0],
    ["boolean", { type: "boolean" }, false],
    ["null", { type: "null" }, null],
    ["const", { const: "x" }, "x"],
    ["enum", { enum: ["b", "a"] }, "b"],
    ["first choice", { anyOf: [{ type: "integer" }, { type: "string" }] }, 0],
    ["nullable", { type: ["string", "null"] }, "the answer"],
    ["list", { type: "array", items: { type: "integer" }, minItems: 2 }, [0, 0]],
    ["empty list", { type: "array", items: { type: "integer" } }, []],
    ["no schema at all", 7, null],
  ])("%s", (_, schema, expected) => {
    expect(read(schema)).toEqual(expected);
  });

  test("an object has what is required, the text goes into the first string", () => {
    const properties = { n: { type: "integer" }, title: { type: "string" }, body: { type: "string" } };
    expect(read({ type: "object", properties, required: ["n", "title"] })).toEqual({
      n: 0,
      title: "the answer",
    });
    expect(read({ type: "object", properties })).toEqual({ n: 0, title: "the answer", body: "" });
  });

  test("a schema that contains itself comes to an end", () => {
    const schema: Record<string, unknown> = { type: "object" };
    schema["properties"] = { self: schema };
    expect(JSON.stringify(read(schema)).length).toBeLessThan(200);
  });
});
