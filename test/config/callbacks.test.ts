import { describe, expect, test } from "vitest";
import { callbackKey, callbackSettings } from "../../src/config/callbacks.ts";
import { parseConfig } from "../../src/config/load.ts";

const parse = (text: string) => parseConfig(text, "config.yaml");

describe("callbacks", () => {
  test("are told of ends unless the config says of what", () => {
    const config = parse(
      "callbacks:\n  ci: { url: http://127.0.0.1:9/x }\n  ops: { url: https://ops.test/, token: env:OPS, events: [task.stalled] }\n",
    );
    expect(callbackSettings(config)).toEqual([
      {
        name: "ci",
        url: "http://127.0.0.1:9/x",
        events: ["task.done", "task.failed", "task.cancelled"],
        token: null,
      },
      { name: "ops", url: "https://ops.test/", events: ["task.stalled"], token: "env:OPS" },
    ]);
    expect(callbackKey("ci")).toBe("callbacks.ci.token");
  });

  test.each([
    ["url: not an address", /callbacks\.ci\.url: expected an address/],
    ["url: http://u:p@127.0.0.1/", /callbacks\.ci\.url/],
    ["url: https://ops.test/\n    token: s3cret", /callbacks\.ci\.token: expected env:NAME/],
    ["url: http://127.0.0.1:9/\n    events: [task.dune]", /callbacks\.ci\.events/],
    ["url: http://127.0.0.1:9/\n    events: []", /callbacks\.ci\.events/],
    ["uri: http://127.0.0.1:9/", /callbacks\.ci\.uri.*did you mean/is],
  ])("refuses %s", (lines, message) => {
    expect(() => parse(`callbacks:\n  ci:\n    ${lines}\n`)).toThrow(message);
  });
});
