// A workspace with everything that could lead out of it, and the file tools called as the runtime calls them.

import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ToolError } from "../../src/base/errors.ts";
import { checkArguments } from "../../src/toolsets/arguments.ts";
import { fileToolset } from "../../src/toolsets/file.ts";
import { fileWriteToolset } from "../../src/toolsets/file-write.ts";
import type { FileVersions } from "../../src/toolsets/file-versions.ts";
import type { FilePolicy } from "../../src/toolsets/workspace.ts";
import { toolContext } from "./tool-context.ts";

export interface Files {
  /** The folder around the workspace; remove it afterwards. */
  readonly base: string;
  readonly workspace: string;
}

export function makeFiles(): Files {
  const base = mkdtempSync(join(tmpdir(), "troupe-file-"));
  const workspace = join(base, "workspace");
  mkdirSync(join(workspace, "src/deep/er"), { recursive: true });
  mkdirSync(join(base, "workspace-other"));
  mkdirSync(join(workspace, ".git"));
  mkdirSync(join(workspace, "empty"));
  writeFileSync(join(base, "secret.txt"), "SECRET\n");
  writeFileSync(join(base, "workspace-other/x.txt"), "SECRET\n");
  writeFileSync(join(workspace, "a.txt"), "one\ntwo\nthree\n");
  writeFileSync(join(workspace, "empty.txt"), "");
  writeFileSync(join(workspace, "binary.bin"), new Uint8Array([1, 2, 0, 3]));
  writeFileSync(join(workspace, "src/main.ts"), "export const needle = 1;\r\n// Needle again\n");
  writeFileSync(join(workspace, "src/deep/er/x.md"), "no match\nhere is a needle\n");
  writeFileSync(join(workspace, ".git/config"), "needle\n");
  symlinkSync("../secret.txt", join(workspace, "link-file-out"));
  symlinkSync("/etc", join(workspace, "link-dir-out"));
  symlinkSync("link-file-out", join(workspace, "link-chain-out"));
  symlinkSync("link-loop", join(workspace, "link-loop"));
  symlinkSync("../workspace-other", join(workspace, "link-sibling"));
  symlinkSync("a.txt", join(workspace, "link-inside"));
  symlinkSync("src", join(workspace, "link-dir-inside"));
  symlinkSync("/proc/self/root", join(workspace, "link-proc-root"));
  symlinkSync("/proc/self/environ", join(workspace, "link-environ"));
  return { base, workspace };
}

export interface CallOptions {
  readonly at: string;
  readonly signal?: AbortSignal;
  readonly policy?: FilePolicy;
  readonly root?: string;
  readonly writePolicy?: FilePolicy;
  /** What tasks know of files; each call begins anew when absent. */
  readonly versions?: FileVersions;
  readonly taskId?: string;
}

let calls = 0;

/** Contract: throws what the tool throws. */
export async function call(name: string, input: object, options: CallOptions) {
  const { policy, versions, writePolicy, taskId = "task_1" } = options;
  const writing = {
    ...(policy && { policy }),
    ...(writePolicy && { writePolicy }),
    ...(versions && { versions }),
  };
  const tool = [fileToolset(policy, versions), fileWriteToolset(writing)]
    .flatMap((toolset) => toolset.tools("leaf"))
    .find(({ definition }) => definition.name === name);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  const context = {
    ...toolContext(options.at, options.signal),
    taskId,
    callId: `call_${++calls}`,
    ...(options.root !== undefined && { workspaceRoot: options.root }),
  };
  const outcome = await tool.run(checkArguments(tool, input), context);
  if (outcome.type !== "result") throw new Error("expected a result");
  return { text: outcome.value as string, truncated: outcome.truncated ?? false };
}

/** The code of the ToolError; any other end as a text that no test expects. */
export async function codeOf(name: string, input: object, options: CallOptions): Promise<string> {
  return call(name, input, options).then(
    ({ text }) => `accepted: ${text}`,
    (error: unknown) => (error instanceof ToolError ? error.code : `other: ${String(error)}`),
  );
}
