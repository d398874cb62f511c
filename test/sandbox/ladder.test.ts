import { describe, expect, it } from "vitest";
import { nodeProcesses } from "../../src/base/process-node.ts";
import { chooseRung, findRung, type LadderFacts } from "../../src/sandbox/ladder.ts";

function factsOf(rest: Partial<LadderFacts> = {}): LadderFacts {
  return {
    isLinux: true,
    isRoot: false,
    bwrap: "/usr/bin/bwrap",
    says: "bubblewrap 0.8.0\n",
    setpriv: null,
    nice: "/usr/bin/nice",
    bash: "/usr/bin/bash",
    links: {},
    machine: "x86_64\n",
    ...rest,
  };
}

describe("chooseRung", () => {
  it("takes bubblewrap from 0.8.0 on", () => {
    for (const [says, version] of [
      ["bubblewrap 0.8.0", "0.8.0"],
      ["bubblewrap 0.11.2", "0.11.2"],
      ["bubblewrap 1.0.0", "1.0.0"],
    ] as const) {
      expect(chooseRung(factsOf({ says }))).toMatchObject({ rung: { version } });
    }
  });

  it.each([
    [{ isLinux: false }, /Linux/],
    [{ bwrap: null }, /bubblewrap.*not found.*apt-get install bubblewrap/],
    [{ says: "bubblewrap 0.7.9" }, /0\.8\.0 or newer.*says bubblewrap 0\.7\.9/],
    [{ says: "" }, /says nothing/],
    [{ bash: null }, /bash/],
    [{ isRoot: true }, /setpriv.*util-linux/],
  ] as const)("opens nothing below it, and says what to do: %o", (rest, reason) => {
    expect(chooseRung(factsOf(rest))).toEqual({ reason: expect.stringMatching(reason) as string });
  });

  it("lets root build walls where it can become another", () => {
    expect(chooseRung(factsOf({ isRoot: true, setpriv: "/usr/bin/setpriv" }))).toHaveProperty("rung");
  });
});

it("looks at this machine without failing", async () => {
  const found = await findRung(nodeProcesses, false);
  expect("reason" in found ? found.reason : found.rung.bwrap).toMatch(/bubblewrap|bash|Linux|bwrap$/);
});
