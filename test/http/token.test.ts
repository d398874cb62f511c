import { execFile } from "node:child_process";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { currentUid } from "../../src/base/owner.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { loadOrCreateToken, loadToken } from "../../src/http/token.ts";

const ME = currentUid();

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "troupe-token-"));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);
const refusal = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "accepted",
    (thrown: { code: unknown }) => thrown.code,
  );

describe("loadOrCreateToken", () => {
  it("K1 makes 256 random bits in a 0600 file in a 0700 folder", async () => {
    const path = join(home, "a", "b", "token");
    const made = await loadOrCreateToken({ path });
    expect(made).toMatchObject({ path, created: true });
    expect(made.token).toMatch(/^[0-9a-f]{64}$/);
    expect(await readFile(path, "utf8")).toBe(`${made.token}\n`);
    const modes = await Promise.all([path, join(home, "a", "b"), join(home, "a")].map(modeOf));
    expect(modes).toEqual(["600", "700", "700"]);
  });

  it.each(["0", "22", "77", "777"])("K1 holds under umask %s", async (umask) => {
    const path = join(home, "u", "v", "token");
    const probe = join(import.meta.dirname, "umask-probe.ts");
    await promisify(execFile)(process.execPath, [probe, umask, path]);
    expect(await Promise.all([path, join(home, "u", "v"), join(home, "u")].map(modeOf))).toEqual([
      "600",
      "700",
      "700",
    ]);
  });

  it("reads the same token again", async () => {
    const path = join(home, "token");
    const first = await loadOrCreateToken({ path });
    expect(await loadOrCreateToken({ path })).toEqual({ ...first, created: false });
    expect(await loadToken({ path })).toBe(first.token);
  });

  it("K2 gives every server that starts at once one token, and leaves no draft behind", async () => {
    const path = join(home, "new", "token");
    const all = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateToken({ path })));
    expect(new Set(all.map(({ token }) => token)).size).toBe(1);
    expect(all.filter(({ created }) => created)).toHaveLength(1);
    expect(await readdir(join(home, "new"))).toEqual(["token"]);
  });

  it.each([0o644, 0o640, 0o604, 0o660, 0o610])(
    "K3 refuses a file of mode %o and says how to mend it",
    async (mode) => {
      const path = join(home, "token");
      await loadOrCreateToken({ path });
      await chmod(path, mode);
      await expect(loadOrCreateToken({ path })).rejects.toMatchObject({
        code: "token_exposed",
        message: expect.stringContaining(`chmod 600 ${path}`),
      });
      expect(await modeOf(path)).toBe(mode.toString(8));
    },
  );

  it("K3 refuses a folder that others could write", async () => {
    const folder = join(home, "open");
    await mkdir(folder);
    await chmod(folder, 0o777);
    const path = join(folder, "token");
    expect(await refusal(loadOrCreateToken({ path }))).toBe("token_folder_open");
    expect(await readdir(folder)).toEqual([]);
    await chmod(folder, 0o700);
    await loadOrCreateToken({ path });
    await chmod(folder, 0o770);
    expect(await refusal(loadOrCreateToken({ path }))).toBe("token_folder_open");
  });

  it.skipIf(ME === null)("K4 refuses a file, and a folder, of somebody else", async () => {
    const folder = join(home, "theirs");
    const path = join(folder, "token");
    await loadOrCreateToken({ path });
    const uid = ME === 0 ? 0 : (ME ?? 0) + 1;
    const give = (what: string, to: number) => (ME === 0 ? chown(what, to, to) : Promise.resolve());
    await give(path, 65_534);
    await expect(loadToken({ path, uid })).rejects.toMatchObject({
      code: "token_foreign",
      message: expect.stringContaining("TROUPE_HOME"),
    });
    await give(path, 0);
    await give(folder, 65_534);
    expect(await refusal(loadOrCreateToken({ path, uid }))).toBe("token_foreign");
    await rm(path);
    expect(await refusal(loadOrCreateToken({ path, uid }))).toBe("token_foreign");
    expect(await readdir(folder)).toEqual([]);
    expect(await loadToken({ path, uid: null })).toBeNull();
  });

  it("checks the file that a link leads to, not the link", async () => {
    const target = join(home, "elsewhere");
    await writeFile(target, `${"0".repeat(64)}\n`);
    await chmod(target, 0o644);
    const path = join(home, "token");
    await symlink(target, path);
    expect(await refusal(loadOrCreateToken({ path }))).toBe("token_exposed");
  });

  it.each([
    ["nothing", ""],
    ["too little", "abc"],
    ["too much", `${"a".repeat(64)}b`],
    ["capitals", "A".repeat(64)],
    ["a second line", `${"a".repeat(64)}\nb`],
    ["a book", "a".repeat(100_000)],
  ])("refuses a file that holds %s", async (_what, content) => {
    const path = join(home, "token");
    await writeFile(path, content, { mode: 0o600 });
    expect(await refusal(loadOrCreateToken({ path }))).toBe("token_malformed");
  });

  it("refuses a folder in the file's place", async () => {
    expect(await refusal(loadOrCreateToken({ path: home }))).toBe("token_unreadable");
  });

  it("an unwritable home is a ConfigError that names the key", async () => {
    // A file where a folder should be stops root too.
    const file = join(home, "file");
    await writeFile(file, "");
    const made = loadOrCreateToken({ path: join("/proc", "troupe", "token") });
    await expect(made).rejects.toMatchObject({
      kind: "config",
      code: "token_unwritable",
      details: { config_key: "server.token_file" },
    });
    expect(await refusal(loadOrCreateToken({ path: join(file, "token") }))).toBe("token_unreadable");
  });

  it("takes its bytes from the given source", async () => {
    const tokens = await Promise.all(
      ["a", "b"].map((name) => loadOrCreateToken({ path: join(home, name), random: seededRandom(5) })),
    );
    expect(tokens[0]?.token).toBe(tokens[1]?.token);
  });

  it("leaves modes alone where they mean nothing", async () => {
    const path = join(home, "token");
    const { token } = await loadOrCreateToken({ path });
    await chmod(path, 0o666);
    expect(await loadToken({ path, posix: false })).toBe(token);
  });
});
