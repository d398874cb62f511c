import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { sha256, systemRandom } from "../../src/base/ids.ts";
import type { Scope } from "../../src/core/api.ts";
import { listTokens, makeToken, MadeTokens, revokeToken } from "../../src/http/made-tokens.ts";
import { TokenBook } from "../../src/http/token-book.ts";

let home: string;
let folder: string;
let clock: SimulatedClock;
let problems: string[];
let changes: string[];
let tokens: MadeTokens;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "troupe-made-"));
  folder = join(home, "tokens");
  clock = new SimulatedClock();
  problems = [];
  changes = [];
  tokens = new MadeTokens({
    folder,
    clock,
    onProblem: (message) => problems.push(message),
    onChange: (change, { name }) => changes.push(`${change} ${name}`),
  });
});
afterEach(async () => {
  tokens.close();
  await rm(home, { recursive: true, force: true });
});

const make = (name: string, scope: Scope = "read") =>
  makeToken({ folder }, { name, scope, now: clock.now(), random: systemRandom });
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

describe("makeToken", () => {
  it("M1 keeps a hash and not the token, M2 in a file and a folder of its owner alone", async () => {
    const { id, secret } = await make("ci", "control");
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    const path = join(folder, `${id}.json`);
    const text = await readFile(path, "utf8");
    expect(text).not.toContain(secret);
    expect(JSON.parse(text)).toEqual({
      name: "ci",
      scope: "control",
      hash: sha256(secret),
      created_at: clock.now(),
    });
    expect([await modeOf(path), await modeOf(folder)]).toEqual(["600", "700"]);
  });

  it.each(["0", "22", "777"])("M2 holds under umask %s", async (umask) => {
    const probe = join(import.meta.dirname, "made-token-probe.ts");
    await promisify(execFile)(process.execPath, [probe, umask, folder]);
    const [name = ""] = await readdir(folder);
    expect([await modeOf(join(folder, name)), await modeOf(folder)]).toEqual(["600", "700"]);
  });

  it.each(["", "-x", "a b", "a/b", "../x", "x".repeat(41), "\u001b[31m"])(
    "refuses the name %j",
    async (name) => {
      await expect(make(name)).rejects.toMatchObject({ code: "invalid_token_name" });
    },
  );

  it("refuses a name twice, and the name of the server's own token", async () => {
    await make("ci");
    await expect(make("ci")).rejects.toMatchObject({ code: "token_name_taken" });
    await expect(make("operator")).rejects.toMatchObject({ code: "token_name_taken" });
  });

  it("M2 makes none in a folder that others may write", async () => {
    await mkdir(folder, { mode: 0o700 });
    await chmod(folder, 0o777);
    await expect(make("ci")).rejects.toMatchObject({ code: "token_folder_open" });
  });

  it("loses none of many that are made at once", async () => {
    await Promise.all(Array.from({ length: 20 }, (_, at) => make(`n${at}`)));
    expect(await listTokens({ folder })).toHaveLength(20);
  });
});

describe("revokeToken", () => {
  it("takes an id, its beginning or a name, and leaves the others", async () => {
    const [a, , c] = [await make("a"), await make("b"), await make("c")];
    await revokeToken({ folder }, a.id);
    await revokeToken({ folder }, "b");
    expect(await listTokens({ folder })).toMatchObject([{ name: "c", scope: "read" }]);
    await revokeToken({ folder }, c.id.slice(0, 12));
    expect(await listTokens({ folder })).toEqual([]);
  });

  it("refuses what none has", async () => {
    await make("a");
    for (const word of ["b", "tok_", "", "../a"]) {
      await expect(revokeToken({ folder }, word)).rejects.toMatchObject({ code: "token_not_found" });
    }
  });
});

describe("a server's tokens", () => {
  it("are there as soon as they are made, with the scopes below theirs, and the same caller each time", async () => {
    const book = new TokenBook([], tokens);
    await tokens.watch();
    const { secret, id } = await make("ci", "control");
    const caller = await book.callerOf(secret);
    expect(caller).toMatchObject({ name: "ci", scopes: ["read", "control"], taskId: null, tokenId: id });
    expect(await book.callerOf(secret)).toBe(caller);
    expect(await book.callerOf("f".repeat(64))).toBeNull();
    expect(changes).toEqual(["added ci"]);
  });

  it("M3 are worth nothing a second after they were revoked, and what they opened is told", async () => {
    const book = new TokenBook([], tokens);
    const { secret } = await make("ci");
    const caller = await book.callerOf(secret);
    if (!caller) throw new Error("expected a caller");
    const ended = book.revoked(caller) as AbortSignal;
    await revokeToken({ folder }, "ci");
    await clock.advance(1_000);
    expect(await book.callerOf(secret)).toBeNull();
    expect([ended.aborted, changes]).toEqual([true, ["revoked ci"]]);
  });

  it("M3 are looked at without anybody asking", async () => {
    const { secret } = await make("ci");
    await tokens.watch();
    const caller = await new TokenBook([], tokens).callerOf(secret);
    await revokeToken({ folder }, "ci");
    const ended = tokens.revoked(caller as NonNullable<typeof caller>) as AbortSignal;
    const told = new Promise((resolve) => ended.addEventListener("abort", resolve, { once: true }));
    await clock.advance(1_000);
    await told;
    expect(tokens.tokens).toEqual([]);
  });

  it.each([
    ["others could read it", (path: string) => chmod(path, 0o644)],
    ["it holds no token", (path: string) => writeFile(path, "{}")],
    ["it holds no JSON", (path: string) => writeFile(path, "x".repeat(9_000))],
  ])("M2 gives nobody access where %s, and says so once", async (_why, spoil) => {
    const { secret, id } = await make("ci", "admin");
    await spoil(join(folder, `${id}.json`));
    const book = new TokenBook([], tokens);
    expect(await book.callerOf(secret)).toBeNull();
    expect(await book.callerOf(secret)).toBeNull();
    expect(problems).toHaveLength(1);
    expect(problems[0]).not.toContain(secret);
  });

  it("M2 give access again once their file is mended", async () => {
    const { secret, id } = await make("ci");
    await chmod(join(folder, `${id}.json`), 0o644);
    const book = new TokenBook([], tokens);
    expect(await book.callerOf(secret)).toBeNull();
    await chmod(join(folder, `${id}.json`), 0o600);
    expect(await book.callerOf(secret)).toMatchObject({ name: "ci" });
  });

  it("M2 gives nobody access once others may write the folder: they could have put theirs there", async () => {
    const { secret } = await make("ci", "admin");
    const book = new TokenBook([], tokens);
    expect(await book.callerOf(secret)).not.toBeNull();
    await chmod(folder, 0o777);
    await clock.advance(1_000);
    expect(await book.callerOf(secret)).toBeNull();
    expect(problems).toEqual([expect.stringContaining("chmod 700")]);
  });

  it("are none where no folder is, and no file of another name", async () => {
    expect(await tokens.known(true)).toEqual([]);
    await make("ci");
    await writeFile(join(folder, "tok_x.json"), "{}");
    await symlink("/etc/passwd", join(folder, "passwd"));
    expect(await tokens.known(true)).toHaveLength(1);
    expect(problems).toEqual([]);
  });
});
