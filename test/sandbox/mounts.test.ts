import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nodeProcesses } from "../../src/base/process-node.ts";
import { outputOf, type ProcessHost } from "../../src/base/process.ts";
import { mountPlaces, mountProblem } from "../../src/sandbox/mounts.ts";
import { makeGround, missing, sandboxHere, type Ground } from "./machine.ts";

describe("mountProblem", () => {
  const own = ["/home/me/.troupe", "/srv/data/troupe.db"];

  it.each(["/home/me", "/home/me/.troupe", "/home/me/.troupe/keys", "/", "/srv/data"])(
    "%s would show what is Troupe's own",
    (source) => {
      expect(mountProblem(source, own)).toMatch(/Troupe's own/);
    },
  );

  it.each(["/proc", "/proc/1/root", "/dev", "/run/user/1000", "/var", "/etc/ssl", "/tmp"])(
    "%s would show what the walls keep out",
    (source) => {
      expect(mountProblem(source, own)).toMatch(/walls keep out/);
    },
  );

  it.each(["/home/me/.troupe2", "/opt/node", "/home/me/.cargo", "/srv/database", "/tmp/node"])(
    "%s is fine",
    (source) => {
      expect(mountProblem(source, own)).toBeNull();
    },
  );
});

describe("a folder of the config", () => {
  let ground: Ground;
  let home: string;
  let tools: string;
  beforeEach(() => {
    ground = makeGround();
    [home, tools] = [join(ground.base, "home"), join(ground.base, "tools")];
    mkdirSync(join(tools, "bin"), { recursive: true });
    mkdirSync(home);
    writeFileSync(join(home, "token"), "secret", { mode: 0o644 });
    writeFileSync(join(tools, "bin/hello"), "#!/bin/sh\necho hello\n", { mode: 0o755 });
  });
  afterEach(() => ground.remove());

  it("is looked at through its links", async () => {
    const link = join(ground.base, "link");
    symlinkSync(home, link);
    await expect(mountPlaces([link], [home])).rejects.toMatchObject({
      code: "no_mount",
      message: expect.stringMatching(/tools\.terminal\.mounts.*own/) as string,
    });
    await expect(mountPlaces([join(ground.base, "none")], [])).rejects.toMatchObject({ code: "no_mount" });
  });

  const said = async (mount: string, script: string, processes: ProcessHost = nodeProcesses) => {
    const sandbox = sandboxHere({ mounts: [mount] }, { own: [home], processes });
    const argv = ["bash", "-c", script] as const;
    const process = await sandbox.open({ workspace: ground.workspace, argv });
    const { stdout, stderr } = await outputOf(process, { maxBytes: 1_000 });
    return stdout + stderr;
  };

  it.skipIf(missing !== null)(
    "is seen at its own path, its programs are found, and it stays as it is",
    async () => {
      const link = join(ground.base, "link");
      symlinkSync(tools, link);
      const tried = `hello; echo x >${link}/bin/hello || echo held`;
      expect(await said(link, tried)).toMatch(/^hello\nheld\n/);
    },
  );

  it.skipIf(missing !== null)("opens nothing when it is swapped while the sandbox is built", async () => {
    const script = `cat ${tools}/token`;
    // Whoever may write the folder above it: at the last moment it leads to Troupe's home.
    const swapping: ProcessHost = {
      ...nodeProcesses,
      start: (spec) => {
        if (spec.argv.includes(script)) {
          rmSync(tools, { recursive: true });
          symlinkSync(home, tools);
        }
        return nodeProcesses.start(spec);
      },
    };
    expect(await said(tools, script, swapping)).toMatch(/a folder was swapped while it was mounted/);
  });
});
