import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { nodeProcesses } from "../../src/base/process-node.ts";

/** Longer than any machine needs. */
const SOON = { timeout: 30_000 };
const env = { PATH: "/usr/bin:/bin" };

describe("nodeProcesses", () => {
  it("gives a program the environment that is said, and nothing of its own", async () => {
    const { stdout } = await nodeProcesses.run(["/usr/bin/env"], { env: { A: "1" }, maxBytes: 10_000 });
    expect(stdout).toBe("A=1\n");
  });

  it("says how a program ended, and what it wrote where", async () => {
    const argv = ["sh", "-c", "cat; echo err >&2; exit 3"] as const;
    const result = await nodeProcesses.run(argv, { env, maxBytes: 100, input: "in" });
    expect(result).toEqual({ code: 3, stdout: "in", stderr: "err\n", truncated: false });
  });

  it("passes arguments on as they are: no shell reads them", async () => {
    const { stdout } = await nodeProcesses.run(["echo", "$HOME `id` ; *"], { env, maxBytes: 100 });
    expect(stdout).toBe("$HOME `id` ; *\n");
  });

  it("reads what is more than the cap and drops it, cutting no character in two", async () => {
    const argv = ["sh", "-c", "printf 'aé'; head -c 3000000 /dev/zero"] as const;
    const result = await nodeProcesses.run(argv, { env, maxBytes: 2 });
    expect(result).toMatchObject({ code: 0, stdout: "a", truncated: true });
  });

  it("leaves time for everything else beside a program that writes and writes, and loses nothing", async () => {
    const argv = ["head", "-c", "30000000", "/dev/zero"] as const;
    const writing = await nodeProcesses.start({ argv, env });
    let [heard, sinceBreath, breaths] = [0, 0, 0];
    let [isResting, wasHurried] = [false, false];
    writing.onOutput(1, ({ length }) => {
      wasHurried ||= isResting;
      [heard, sinceBreath] = [heard + length, sinceBreath + length];
      if (sinceBreath < 1_048_576) return;
      [sinceBreath, isResting] = [0, true];
      // Due before what was read so far lets the next piece come.
      setTimeout(() => {
        [isResting, breaths] = [false, breaths + 1];
      }, 3);
    });
    await writing.exited;
    expect([heard, wasHurried]).toEqual([30_000_000, false]);
    expect(breaths).toBeGreaterThan(20);
  });

  it("rejects for a program that is not there", async () => {
    await expect(nodeProcesses.run(["/no/such"], { env, maxBytes: 1 })).rejects.toThrow(/ENOENT/);
  });

  it("kills the whole group when the signal aborts, and rejects with its reason", async () => {
    const abort = new AbortController();
    const argv = ["sh", "-c", "sleep 600 & echo $!; wait"] as const;
    const process_ = await nodeProcesses.start({ argv, env });
    const said = await new Promise<string>((resolve) =>
      process_.onOutput(1, (bytes) => resolve(new TextDecoder().decode(bytes))),
    );
    process_.kill();
    expect(await process_.exited).toEqual({ code: null, signal: "SIGKILL" });
    await expect.poll(() => isAlive(Number(said)), SOON).toBe(false);
    const run = nodeProcesses.run(argv, { env, maxBytes: 10, signal: abort.signal });
    abort.abort(new Error("enough"));
    await expect(run).rejects.toThrow("enough");
  });

  it("hands further channels both ways", async () => {
    const process_ = await nodeProcesses.start({ argv: ["sh", "-c", "cat <&4 >&4"], env, channels: 2 });
    const heard: string[] = [];
    process_.onOutput(4, (bytes) => heard.push(new TextDecoder().decode(bytes)));
    process_.write(4, "there and back");
    await expect.poll(() => heard.join(""), SOON).toBe("there and back");
    expect(process_.unread(4)).toBe(0);
    process_.write(3, "x".repeat(4_000_000));
    expect(process_.unread(3)).toBeGreaterThan(1_000_000);
    process_.endInput(4);
    expect(await process_.exited).toEqual({ code: 0, signal: null });
    process_.write(4, "to nobody");
    expect(process_.unread(4)).toBe(0);
    process_.kill();
  });
});

/** What nobody has waited for yet has ended all the same. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
