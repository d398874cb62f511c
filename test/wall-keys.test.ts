import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compose } from "../src/compose.ts";
import { systemClock } from "../src/base/clock.ts";
import { systemRandom } from "../src/base/ids.ts";
import { configSchema } from "../src/core/config-schema.ts";
import { refuseWallKeys, wallKeysIn } from "../src/wall-keys.ts";

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "troupe-walls-")));
  await mkdir(join(folder, "below"));
  await writeFile(join(folder, "config.yaml"), "");
});
afterAll(() => rm(folder, { recursive: true }));

const WIDENING: readonly (readonly [key: string, tools: object])[] = [
  ["tools.grants", { grants: ["session"] }],
  ["tools.file.allow", { file: { allow: [".vscode/**"] } }],
  ["tools.terminal.unsafe", { terminal: { unsafe: true } }],
  ["tools.terminal.network", { terminal: { network: true } }],
  ["tools.terminal.mounts", { terminal: { mounts: ["/home"] } }],
];

const placed = (tools: object, workspace: string, file: string | null = join(folder, "config.yaml")) =>
  refuseWallKeys({ config: configSchema.parse({ tools, workspace }), file, baseDir: folder });

describe("a config in the workspace that takes a wall away", () => {
  it.each(WIDENING)("is refused for %s, by name", async (key, tools) => {
    for (const workspace of [".", "/"]) {
      await expect(placed(tools, workspace)).rejects.toMatchObject({
        kind: "config",
        code: "unsafe_in_workspace",
        message: expect.stringContaining(key) as string,
        details: { config_keys: [key] },
      });
    }
  });

  it("is refused by all of its keys at once", async () => {
    const tools = { grants: ["session"], terminal: { network: true, unsafe: true } };
    await expect(placed(tools, ".")).rejects.toMatchObject({
      details: { config_keys: ["tools.grants", "tools.terminal.unsafe", "tools.terminal.network"] },
    });
  });

  it("is seen through links on either side", async () => {
    await symlink(join(folder, "config.yaml"), join(folder, "below", "link.yaml"));
    await symlink(folder, join(folder, "below", "round"));
    const tools = { grants: ["session"] };
    await expect(placed(tools, "./below/round")).rejects.toMatchObject({ code: "unsafe_in_workspace" });
    await expect(placed(tools, "./below", join(folder, "below", "link.yaml"))).resolves.toBeUndefined();
  });

  it.each(WIDENING)("may say %s outside of it, or as a program's own", async (_, tools) => {
    await expect(placed(tools, "./below")).resolves.toBeUndefined();
    await expect(placed(tools, ".", null)).resolves.toBeUndefined();
  });
});

it("what narrows or is the default takes no wall away", () => {
  expect(wallKeysIn(configSchema.parse({}))).toEqual([]);
  const narrow = {
    file: { deny: ["x"], approve: "always" },
    terminal: { timeout_s: 1 },
    web: { ports: [443] },
  };
  expect(wallKeysIn(configSchema.parse({ tools: narrow }))).toEqual([]);
});

it("no Troupe starts with one, and who writes none there starts", async () => {
  const home = join(folder, "home");
  const starting = (yaml: string) =>
    writeFile(join(folder, "own.yaml"), yaml).then(() =>
      compose({
        world: {
          clock: systemClock,
          random: systemRandom,
          fetch: () => Promise.reject(new TypeError("no network in this test")),
          env: { TROUPE_HOME: home },
          cwd: folder,
          writeLog: () => {},
        },
        configPath: join(folder, "own.yaml"),
      }),
    );
  const rest = "store: {durability: none}\nmodel: ollama/some\n";
  await expect(starting(`${rest}tools: {grants: [session]}\n`)).rejects.toMatchObject({
    code: "unsafe_in_workspace",
  });
  const troupe = await starting(rest);
  await troupe.close();
});
