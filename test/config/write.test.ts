import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { seededRandom, toHex } from "../../src/base/ids.ts";
import { parseConfig } from "../../src/config/load.ts";
import { planProviders } from "../../src/config/plan.ts";
import { resolveSettings } from "../../src/config/resolve.ts";
import { renderConfig, writeConfig } from "../../src/config/write.ts";
import { discovery, model, nothing } from "./discovery-fixture.ts";

const found = discovery(
  { ollama: [model("hf.co/a/b:Q4", 5), model("evil\n  api_key: x", 1), model("small:1b", 1)] },
  24,
);

function render(yaml: string, over = found): string {
  const { plans } = planProviders(parseConfig(yaml, "c"), {});
  return renderConfig({
    plans,
    discovery: over,
    parentModel: "ollama/hf.co/a/b:Q4",
    childModel: "ollama/small:1b",
  });
}

describe("renderConfig", () => {
  it("writes a config that resolves to the models that it names", () => {
    const config = parseConfig(render(""), "config.yaml", ["delegation", "file"]);
    const { settings } = resolveSettings({
      config,
      discovery: found,
      env: {},
      baseDir: "/",
      version: "0",
      boxId: "b",
      link: null,
    });
    expect(settings.parentModel.model).toBe("hf.co/a/b:Q4");
    expect(settings.childModel.model).toBe("small:1b");
  });

  it("writes a config that parses when nothing was found", () => {
    const text = renderConfig({
      plans: planProviders(parseConfig("", "c"), {}).plans,
      discovery: nothing,
      parentModel: null,
      childModel: null,
    });
    expect(parseConfig(text, "c").model).toBeUndefined();
    expect(text).toContain("no answer at http://127.0.0.1:11434");
  });

  it("writes env:NAME and never a literal key", () => {
    const text = render(
      "providers: {ollama: {type: ollama, api_key: hush-hush}, c: {type: openai, api_key: env:K}}\n",
    );
    expect(text).toContain("api_key: env:K");
    expect(text).not.toContain("hush-hush");
  });
});

describe("writeConfig", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "troupe-write-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("makes the folder and a file that only the person can read", async () => {
    const file = join(folder, "new/config.yaml");
    await writeConfig(file, "model: a\n");
    expect(readFileSync(file, "utf8")).toBe("model: a\n");
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("overwrites with force only", async () => {
    const file = join(folder, "config.yaml");
    writeFileSync(file, "mine");
    await expect(writeConfig(file, "x")).rejects.toMatchObject({ code: "config_exists" });
    expect(readFileSync(file, "utf8")).toBe("mine");
    await writeConfig(file, "x", { force: true });
    expect(readFileSync(file, "utf8")).toBe("x");
  });

  it("follows no link that somebody planted beside or in the place of the file", async () => {
    const victim = join(folder, "victim");
    writeFileSync(victim, "precious");
    const file = join(folder, "config.yaml");
    symlinkSync(victim, `${file}.new`);
    const draft = `${file}.${toHex(seededRandom(1).bytes(8))}.new`;
    await writeConfig(file, "x", { force: true });
    symlinkSync(victim, draft);
    await expect(writeConfig(file, "y", { force: true, random: seededRandom(1) })).rejects.toMatchObject({
      code: "config_unwritable",
    });
    rmSync(file);
    symlinkSync(victim, file);
    await expect(writeConfig(file, "z", { force: true })).rejects.toMatchObject({ code: "config_is_link" });
    await expect(writeConfig(file, "z")).rejects.toMatchObject({ code: "config_exists" });
    expect(readFileSync(victim, "utf8")).toBe("precious");
    expect(readdirSync(folder).toSorted()).toEqual(
      ["victim", "config.yaml", "config.yaml.new", basename(draft)].toSorted(),
    );
  });

  it("says what is wrong where it cannot write", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(writeConfig(join(folder, "file/config.yaml"), "x")).rejects.toMatchObject({
      code: "config_unwritable",
    });
  });
});
