import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { currentUid } from "../../src/base/owner.ts";
import { loadConfig, parseConfig, troupeHome } from "../../src/config/load.ts";
import { configSchema } from "../../src/core/config-schema.ts";

const ME = currentUid();

describe("parseConfig accepts", () => {
  it("an empty file, and one of comments only, as all defaults", () => {
    const defaults = configSchema.parse({});
    expect(parseConfig("", "c")).toEqual(defaults);
    expect(parseConfig("# nothing\n", "c")).toEqual(defaults);
    expect(parseConfig("\uFEFF# nothing\n", "c")).toEqual(defaults);
  });

  it("the block of the Hermes documentation unchanged", () => {
    const source = [
      "delegation:",
      "  model: qwen3.5-coder",
      "  base_url: http://localhost:11434/v1",
      "  api_key: local-key",
      "  max_concurrent_children: 2",
    ].join("\n");
    expect(parseConfig(source, "c").delegation).toMatchObject({
      model: "qwen3.5-coder",
      base_url: "http://localhost:11434/v1",
      api_key: "local-key",
      max_concurrent_children: 2,
    });
  });

  it("blocks with nothing in them", () => {
    const config = parseConfig("delegation:\nserver:\nagents:\n  writer:\nproviders:\n", "c");
    expect(config.delegation.max_concurrent_children).toBe(3);
    expect(config.agents["writer"]?.role).toBe("leaf");
  });

  it("anchors and aliases in moderation", () => {
    const config = parseConfig("toolsets: &t [file]\nagents:\n  a: {toolsets: *t}\n", "c");
    expect(config.agents["a"]?.toolsets).toEqual(["file"]);
  });

  it("two names of one limit with the same value", () => {
    expect(() => parseConfig("delegation: {timeout_s: 60, timeout: 60}", "c")).not.toThrow();
  });
});

describe("loadConfig", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "troupe-config-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("takes ./config.yaml before the one in the user's folder, and never merges them", async () => {
    mkdirSync(join(folder, "here"));
    mkdirSync(join(folder, "home/troupe"), { recursive: true });
    writeFileSync(join(folder, "home/troupe/config.yaml"), "model: home\nlog: {level: debug}\n");
    const options = { env: { XDG_CONFIG_HOME: join(folder, "home") }, cwd: join(folder, "here") };
    const fromHome = await loadConfig(options);
    expect(fromHome.config.model).toBe("home");
    expect(fromHome.baseDir).toBe(join(folder, "here"));
    writeFileSync(join(folder, "here/config.yaml"), "model: here\n");
    const fromHere = await loadConfig(options);
    expect(fromHere.config.model).toBe("here");
    expect(fromHere.config.log.level).toBe("info");
    expect(fromHere.file).toBe(join(folder, "here/config.yaml"));
  });

  it("gives the defaults where there is no file", async () => {
    const loaded = await loadConfig({ env: { HOME: folder }, cwd: folder });
    expect(loaded).toEqual({ config: configSchema.parse({}), file: null, baseDir: folder });
    expect((await loadConfig({ env: {}, cwd: folder })).file).toBeNull();
  });

  it("refuses a named file that is not there, and one that cannot be read", async () => {
    await expect(loadConfig({ env: {}, cwd: folder, path: "other.yaml" })).rejects.toMatchObject({
      code: "config_missing",
      message: expect.stringContaining("troupe init") as string,
    });
    await expect(loadConfig({ env: {}, cwd: folder, path: "." })).rejects.toMatchObject({
      code: "config_unreadable",
    });
  });

  it("reads through the given function", async () => {
    const loaded = await loadConfig({ env: {}, cwd: "/x", readFile: () => Promise.resolve("model: m\n") });
    expect(loaded).toMatchObject({ file: "/x/config.yaml", config: { model: "m" } });
  });

  describe.skipIf(ME === null)("of a config that nobody named", () => {
    const me = ME ?? 0;

    it("refuses one of somebody else, and takes it when it is named", async () => {
      const file = join(folder, "config.yaml");
      writeFileSync(file, "model: theirs\n");
      if (me === 0) chownSync(file, 65_534, 65_534);
      const options = { env: {}, cwd: folder, uid: me === 0 ? 0 : me + 1 };
      await expect(loadConfig(options)).rejects.toMatchObject({
        code: "config_untrusted",
        message: expect.stringMatching(/belongs to user \d+, and you are user \d+.*--config/) as string,
      });
      expect((await loadConfig({ ...options, path: "config.yaml" })).config.model).toBe("theirs");
      expect((await loadConfig({ ...options, uid: null })).config.model).toBe("theirs");
    });

    it.each([0o664, 0o646])("refuses one of mode %o that others can write", async (mode) => {
      const file = join(folder, "config.yaml");
      writeFileSync(file, "model: mine\n");
      chmodSync(file, mode);
      await expect(loadConfig({ env: {}, cwd: folder })).rejects.toMatchObject({
        code: "config_untrusted",
        message: expect.stringContaining("chmod go-w") as string,
      });
    });

    it("takes the one of Troupe's home as it is", async () => {
      const home = join(folder, "home");
      mkdirSync(home);
      writeFileSync(join(home, "config.yaml"), "model: mine\n");
      chmodSync(join(home, "config.yaml"), 0o664);
      expect((await loadConfig({ env: { TROUPE_HOME: home }, cwd: folder })).config.model).toBe("mine");
    });
  });
});

describe("troupeHome", () => {
  it("is TROUPE_HOME, else XDG_CONFIG_HOME/troupe, else ~/.config/troupe", () => {
    const env = { TROUPE_HOME: "/t", XDG_CONFIG_HOME: "/x", HOME: "/h" };
    expect(troupeHome(env)).toBe("/t");
    expect(troupeHome({ ...env, TROUPE_HOME: undefined })).toBe("/x/troupe");
    expect(troupeHome({ HOME: "/h", XDG_CONFIG_HOME: "relative" })).toBe("/h/.config/troupe");
    expect(() => troupeHome({})).toThrow(/Set TROUPE_HOME/);
  });
});
