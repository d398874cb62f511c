import { describe, expect, it } from "vitest";
import { connection, firstByte, limitReached, nextChunk } from "../../providers/limits.ts";

const PLACE = { where: "http://box:1", hint: "Start it.", redact: (text: string) => text };

describe("the limits of a request", () => {
  it("names the config key that would raise it", () => {
    for (const limit of [connection(7), firstByte(7), nextChunk(7)]) {
      const error = limitReached(limit, PLACE);
      expect(error).toMatchObject({ providerKind: "timeout", code: limit.code });
      expect(error.message).toContain(`\`${limit.code}_s\``);
      expect(error.message).toContain("within 7 ms");
    }
  });

  it("subtracts what was spent, but never turns a limit into none", () => {
    expect(firstByte(1000, 400)).toMatchObject({ ms: 600, told: 1000 });
    expect(firstByte(1000, 5000).ms).toBe(1);
    expect(firstByte(0, 5000).ms).toBe(0);
  });
});
