import { expect, test } from "vitest";
import { lineLogger, silentLogger } from "../../src/base/log.ts";

test("a line has its level, its message and its fields as JSON; lower levels are left out", () => {
  const lines: string[] = [];
  const logger = lineLogger((line) => lines.push(line), "warn");
  logger.debug("a");
  logger.info("b");
  logger.warn("disk is full", { path: "/x y", left: 0 });
  logger.error("c");
  silentLogger.error("never");
  expect(lines).toEqual(['warn: disk is full path="/x y" left=0', "error: c"]);
});
