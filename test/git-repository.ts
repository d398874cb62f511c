// A git repository in a folder of its own, for tests of worktrees; and one that does everything that a repository can
// do to run a program of its own when somebody else's git looks at it.

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** As a person runs it: with the repository's config and hooks. */
export function git(cwd: string, ...args: readonly string[]): string {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "a",
    GIT_AUTHOR_EMAIL: "a@test",
    GIT_COMMITTER_NAME: "a",
    GIT_COMMITTER_EMAIL: "a@test",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "safe.directory",
    GIT_CONFIG_VALUE_0: "*",
  };
  return execFileSync("git", args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Remove `base` afterwards; `repository` is a folder in it with one commit. */
export function makeRepository(): { readonly base: string; readonly repository: string } {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "troupe-git-")));
  // Anybody may enter: what keeps commands of a model out must be walls.
  chmodSync(base, 0o755);
  const repository = join(base, "repository");
  mkdirSync(repository);
  git(repository, "init", "--quiet", "--initial-branch=main");
  writeFileSync(join(repository, "a.txt"), "one\n");
  writeFileSync(join(repository, ".gitignore"), "build/\n");
  mkdirSync(join(repository, "src"));
  writeFileSync(join(repository, "src/main.ts"), "export {};\n");
  git(repository, "add", "--all");
  git(repository, "commit", "--quiet", "-m", "begin");
  return { base, repository };
}

/** Every way that is known to run a program at a look, a checkout or a change of a branch. */
export class HostileRepository {
  readonly base: string;
  readonly repository: string;
  readonly #log: string;

  constructor() {
    ({ base: this.base, repository: this.repository } = makeRepository());
    this.#log = join(this.base, "ran.log");
    const trap = join(this.base, "trap");
    writeFileSync(trap, `#!/bin/sh\necho "$@" >> ${this.#log}\ncat 2>/dev/null\nexit 0\n`);
    chmodSync(trap, 0o755);
    const hooks = join(this.repository, ".git/hooks");
    mkdirSync(hooks, { recursive: true });
    for (const hook of ["post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"]) {
      writeFileSync(join(hooks, hook), `#!/bin/sh\n${trap} ${hook} < /dev/null\n`);
      chmodSync(join(hooks, hook), 0o755);
    }
    writeFileSync(join(this.repository, ".gitattributes"), "* filter=evil diff=evil\n*.bin filter=lfs\n");
    writeFileSync(join(this.repository, "big.bin"), "big\n");
    writeFileSync(join(this.repository, ".npmrc"), `script-shell=${trap}\n`);
    writeFileSync(join(this.repository, ".envrc"), `${trap} envrc\n`);
    writeFileSync(join(this.repository, "conftest.py"), `import os; os.system("${trap} conftest")\n`);
    git(this.repository, "add", "--all");
    git(this.repository, "commit", "--quiet", "-m", "traps");
    for (const [key, value] of [
      ["core.fsmonitor", `${trap} fsmonitor`],
      ["filter.evil.smudge", `${trap} smudge`],
      ["filter.evil.clean", `${trap} clean`],
      ["filter.evil.required", "true"],
      ["filter.lfs.process", `${trap} process`],
      ["filter.lfs.required", "true"],
      ["diff.external", `${trap} diff`],
      ["diff.evil.textconv", `${trap} textconv`],
      ["core.pager", `${trap} pager`],
      ["core.sshCommand", `${trap} ssh`],
      ["core.askPass", `${trap} askpass`],
      ["core.editor", `${trap} editor`],
      ["gpg.program", `${trap} gpg`],
      ["credential.helper", `!${trap} credential`],
      ["alias.rev-parse", `!${trap} alias`],
      ["gc.recentObjectsHook", `${trap} recent`],
      ["uploadpack.packObjectsHook", `${trap} pack`],
      ["core.alternateRefsCommand", `${trap} alternates`],
      ["protocol.ext.allow", "always"],
      ["remote.origin.url", `ext::${trap} remote`],
      ["remote.origin.promisor", "true"],
      ["extensions.partialClone", "origin"],
      ["core.repositoryFormatVersion", "1"],
    ] as const) {
      git(this.repository, "config", key, value);
    }
    if (existsSync(this.#log)) writeFileSync(this.#log, "");
  }

  /** What was run so far. */
  ran(): string {
    return existsSync(this.#log) ? readFileSync(this.#log, "utf8") : "";
  }
}
