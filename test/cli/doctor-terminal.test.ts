import { describe, expect, it } from "vitest";
import { terminalCheck } from "../../src/cli/doctor-terminal.ts";
import { missing } from "../sandbox/machine.ts";
import { newHome } from "./home.ts";
import { runLine, ScriptedTerminal } from "./scripted-terminal.ts";

describe("terminalCheck", () => {
  const facts = { isUsed: true, isRoot: false };
  const closed = { stands: false, reason: "bubblewrap is missing." } as const;
  const bounds = { text: "32 processes for a session as a whole", gap: null };
  const walls = { stands: true, unsafe: false, kind: "bubblewrap 0.8.0, no network", bounds } as const;

  it("makes a closed terminal a problem for those whose agents need it, and for them alone", () => {
    expect(terminalCheck({ ...facts, verdict: closed })).toMatchObject({ level: "problem" });
    expect(terminalCheck({ ...facts, isUsed: false, verdict: closed })).toMatchObject({
      level: "ok",
      text: "closed: bubblewrap is missing. No agent's toolsets name it.",
    });
  });

  it("shouts when there are no walls by the config", () => {
    const verdict = { stands: true, unsafe: true, kind: "none", bounds } as const;
    expect(terminalCheck({ ...facts, verdict })).toMatchObject({
      level: "warn",
      text: expect.stringMatching(/WITHOUT A SANDBOX/) as string,
    });
  });

  it("says what the walls are, and to root whose the workspace must be", () => {
    expect(terminalCheck({ ...facts, verdict: walls })).toMatchObject({ level: "ok", mend: null });
    expect(terminalCheck({ ...facts, isRoot: true, verdict: walls }).mend).toMatch(/chown/);
  });

  it("says what holds a session, and warns those who use it where nothing holds it as a whole", () => {
    expect(terminalCheck({ ...facts, verdict: walls }).text).toContain("32 processes");
    const verdict = { ...walls, bounds: { ...bounds, gap: "no groups. Start it so." } };
    expect(terminalCheck({ ...facts, verdict })).toMatchObject({
      level: "warn",
      mend: "no groups. Start it so.",
    });
    expect(terminalCheck({ ...facts, isUsed: false, verdict }).level).toBe("ok");
  });
});

async function terminalLine(config: string): Promise<string> {
  const { cwd, env } = await newHome(config);
  const terminal = new ScriptedTerminal({ env, cwd });
  await runLine(["doctor"], terminal);
  return terminal.out.split("\n").find((line) => /^\S+ +terminal /.test(line)) ?? terminal.out;
}

describe("doctor", () => {
  it.skipIf(missing !== null)("tries the walls of this machine, whoever uses them", async () => {
    expect(await terminalLine("server: {port: 9}")).toMatch(
      /^ok +terminal +bubblewrap .*self-test found no way out/,
    );
  });

  it("says that there are none where the config says so", async () => {
    const config = "server: {port: 9}\ntools: {terminal: {unsafe: true}}";
    expect(await terminalLine(config)).toMatch(
      /^(warn|problem) +terminal +.*(WITHOUT A SANDBOX|outside of the workspace)/,
    );
  });
});
