// A workspace full of ways out, and the file tools of a box with its own rules at it.

import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import { FileVersions } from "../../src/toolsets/file-versions.ts";
import { fileOptions } from "../../src/toolsets/registry.ts";
import { call as callAt, codeOf, makeFiles } from "../toolsets/file-fixture.ts";
import type { CallOptions } from "../toolsets/file-fixture.ts";

const { filePolicy, fileWritePolicy } = fileOptions({ homes: [], kept: [], deny: ["private/**"], allow: [] });
const policies = {
  ...(filePolicy && { policy: filePolicy }),
  ...(fileWritePolicy && { writePolicy: fileWritePolicy }),
};

/** New for each test. */
export class FileStage {
  /** The folder around the workspace. */
  base = "";
  workspace = "";
  #versions = new FileVersions();

  constructor() {
    beforeEach(() => {
      Object.assign(this, makeFiles());
      this.#versions = new FileVersions();
    });
    afterEach(() => rmSync(this.base, { recursive: true, force: true }));
  }

  call(name: string, input: object, over: Partial<CallOptions> = {}) {
    return callAt(name, input, this.#options(over));
  }

  code(name: string, input: object, over: Partial<CallOptions> = {}): Promise<string> {
    return codeOf(name, input, this.#options(over));
  }

  /** What lies outside and is nobody's business. */
  secret(): string {
    return readFileSync(join(this.base, "secret.txt"), "utf8");
  }

  #options(over: Partial<CallOptions>): CallOptions {
    return { at: this.workspace, versions: this.#versions, ...policies, ...over };
  }
}
