import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolvedPath, secretFiles } from "../../src/toolsets/file-policy.ts";
import { call as callAt, codeOf, makeFiles } from "./file-fixture.ts";

const KEPT: readonly (readonly [string, string])[] = [
  [".env", ".env and .env.*"],
  ["app/.env.local", ".env and .env.*"],
  [".env.example.local", ".env and .env.*"],
  [".ENV", ".env and .env.*"],
  ["certs/server.pem", "*.pem"],
  ["server.key", "*.key"],
  ["id_rsa", "id_rsa*"],
  ["backup/id_ed25519.old", "id_ed25519*"],
  [".ssh", ".ssh/"],
  [".ssh/config", ".ssh/"],
  ["deep/.gnupg/private-keys-v1.d/x", ".gnupg/"],
  [".aws/credentials", ".aws/"],
  [".netrc", "logins"],
  [".npmrc", "logins"],
  [".git-credentials", "logins"],
  [".git/config", ".git/config"],
  ["vendor/x/.git/hooks/pre-commit", ".git/hooks"],
  [".git/modules/lib/config", ".git/config"],
  [".bashrc", "shell start-up files"],
  [".zshenv", "shell start-up files"],
  [".profile", "shell start-up files"],
  [".bash_history", "shell histories"],
  [".mcp.json", ".mcp.json"],
];

const FREE = [
  ".env.example",
  "environment.ts",
  "src/key.ts",
  "keys.md",
  "docs/pem.txt",
  ".git/HEAD",
  "config",
  "hooks/x.ts",
  ".github/workflows/ci.yml",
  ".gitignore",
  "profile",
  ".",
];

describe("secretFiles", () => {
  const policy = secretFiles({ homes: ["/home/me/.config/troupe"] });

  it.each(KEPT)("keeps %s back and names the rule %s", (path, rule) => {
    expect(policy(path, `/work/${path}`)).toContain(rule);
  });

  it.each(FREE)("lets %s be read", (path) => {
    expect(policy(path, `/work/${path}`)).toBeNull();
  });

  it("judges by where the file is, also when the workspace itself is the folder that is kept back", () => {
    expect(policy("known_hosts", "/home/me/.ssh/known_hosts")).toContain(".ssh/");
  });

  it("keeps Troupe's own home back with all that is in it, and nothing whose name only begins like it", () => {
    expect(policy("token", "/home/me/.config/troupe/token")).toContain("Troupe itself");
    expect(policy(".", "/home/me/.config/troupe")).toContain("Troupe itself");
    expect(policy("x", "/home/me/.config/troupe-notes/x")).toBeNull();
  });
});

describe("the file tools under the policy", () => {
  let base: string;
  let workspace: string;
  beforeAll(() => {
    ({ base, workspace } = makeFiles());
    mkdirSync(join(workspace, "home"));
    mkdirSync(join(workspace, ".ssh"));
    writeFileSync(join(workspace, "home/token"), "SECRET\n");
    writeFileSync(join(workspace, ".env"), "KEY=SECRET\n");
    writeFileSync(join(workspace, ".ssh/config"), "SECRET\n");
    symlinkSync("home", join(workspace, "home-link"));
    symlinkSync(".env", join(workspace, "plain.txt"));
  });
  afterAll(() => rmSync(base, { recursive: true, force: true }));

  const options = async () => ({
    at: workspace,
    policy: secretFiles({ homes: [await resolvedPath(join(workspace, "home-link"))] }),
  });

  it.each(["home/token", "home-link/token", ".env", "plain.txt", ".ssh/config"])(
    "read_file and search_files refuse %s, whatever link leads there",
    async (path) => {
      expect(await codeOf("read_file", { path }, await options())).toBe("kept_back");
      expect(await codeOf("search_files", { path, text: "SECRET" }, await options())).toBe("kept_back");
    },
  );

  it("search_files finds nothing in them and says which it left out, and by which rule", async () => {
    const { text } = await callAt("search_files", { text: "SECRET" }, await options());
    expect(text).not.toMatch(/^(\.env|home|\.ssh)\S*:\d/m);
    expect(text).toContain('[not searched: .env may not be read: the rule ".env and .env.*"');
  });

  it("list_dir still shows their names", async () => {
    const { text } = await callAt("list_dir", {}, await options());
    expect(text).toContain(".env 11");
    expect(text).toContain(".ssh/");
    expect(await codeOf("list_dir", { path: ".ssh" }, await options())).toBe("kept_back");
  });
});

describe("resolvedPath", () => {
  it("resolves links above what is not there yet", async () => {
    const { base, workspace } = makeFiles();
    symlinkSync(workspace, join(base, "alias"));
    expect(await resolvedPath(join(base, "alias/not/yet"))).toBe(
      join(await resolvedPath(workspace), "not/yet"),
    );
    rmSync(base, { recursive: true, force: true });
  });
});
