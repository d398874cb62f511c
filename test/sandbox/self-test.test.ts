import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Bait } from "../../src/base/bait.ts";
import { attemptsIn, breachOf, escapeScript } from "../../src/sandbox/self-test.ts";

const bait: Bait = { port: 4711, visitors: () => 0, close: async () => {} };
const doors = { secretPath: "/x/it's", secret: "s", socketPath: "/x/socket", bait };
const outside = { ...doors, network: false, filtered: true };

/** What the script says when every wall stands. */
const stood = [...escapeScript(outside).matchAll(/^(?:attempt|needs \w+) (\w+) /gm)].map(
  ([, name]) => `stood ${name}`,
);
const all = [...stood, "end"].join("\n");

describe("the self-test", () => {
  it("passes when every try was made and none worked", () => {
    expect(stood.length).toBeGreaterThan(9);
    expect(breachOf(attemptsIn(all), "")).toBeNull();
  });

  it("fails when one works, and says which", () => {
    const said = all
      .replace("stood remount", "fell remount")
      .replace("stood host_secret", "fell host_secret");
    expect(breachOf(attemptsIn(said), "")).toMatch(/mounted anew for writing; \/etc\/shadow was read/);
  });

  it("fails when it does not come to its end, with what was complained of", () => {
    expect(breachOf(attemptsIn(stood.join("\n")), "bwrap: no\n")).toMatch(/\(bwrap: no\)/);
    expect(breachOf(attemptsIn(""), "")).toMatch(/said nothing/);
  });

  it.skipIf(!existsSync("/bin/bash"))("fails where a program is missing that a try needs", () => {
    // Without the tries themselves, which are for inside of the walls.
    const [preamble = ""] = escapeScript(outside).split("secret=");
    const tried = spawnSync("/bin/bash", ["--norc", "-c", `${preamble}echo end`], {
      env: { PATH: "/nonexistent" },
    });
    expect(breachOf(attemptsIn(String(tried.stdout)), String(tried.stderr))).toMatch(/\(it needs cat\)/);
  });

  it("fails when a try was left out", () => {
    expect(breachOf(attemptsIn(all.replace("stood mount\n", "")), "")).toMatch(/left out mount/);
  });

  it("does not try the network where it was granted, and takes untested for no breach", () => {
    expect(escapeScript({ ...outside, network: true })).not.toContain("4711");
    expect(breachOf(attemptsIn(all.replace("stood host_network", "untested host_network")), "")).toBeNull();
  });

  it("does not ask for a filter of calls where there is none for the architecture", () => {
    expect(escapeScript(outside)).toContain("Seccomp");
    expect(escapeScript({ ...outside, filtered: false })).toContain("echo 'untested calls'");
  });

  it("quotes what it names", () => {
    expect(escapeScript(outside)).toContain(String.raw`secret='/x/it'\''s'`);
  });
});
