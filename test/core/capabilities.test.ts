import { expect, test } from "vitest";
import {
  capabilitiesOf,
  CAPABILITIES,
  NO_GRANTS,
  TOOLSET_CAPABILITIES,
} from "../../src/core/capabilities.ts";
import { toolsetNames } from "../../src/toolsets/registry.ts";

test("every toolset of this version is in the table", () => {
  expect(Object.keys(TOOLSET_CAPABILITIES)).toEqual(expect.arrayContaining([...toolsetNames()]));
});

test.each<[readonly string[], boolean, readonly string[]]>([
  [[], false, []],
  [["delegation", "progress"], false, []],
  [["file"], false, ["private_data"]],
  [["file", "terminal"], false, ["private_data"]],
  [["terminal"], true, ["private_data", "talks_out"]],
  [["file"], true, ["private_data"]],
  [["web"], false, ["reads_untrusted", "talks_out"]],
  [["web", "file"], false, CAPABILITIES],
  [["terminal", "web"], false, CAPABILITIES],
  [["constructor", "__proto__", "nobody knows"], true, []],
])("%j with the terminal's network %j holds %j", (toolsets, terminalNetwork, held) => {
  expect(capabilitiesOf(toolsets, { ...NO_GRANTS, terminalNetwork })).toEqual(held);
});
