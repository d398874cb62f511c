// A person's folders for one test: an own home, an own working directory, and nothing of this machine's environment.

import { mkdtemp, mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Home {
  /** Troupe's home; not made yet. */
  readonly home: string;
  readonly cwd: string;
  /** Leads to no Ollama and no nvidia-smi unless something is added. */
  readonly env: Readonly<Record<string, string>>;
}

/** An address where nothing listens: the discard port, which needs a privileged server. */
export const NOBODY = "http://127.0.0.1:9";

export async function newHome(config?: string): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-home-"));
  const cwd = join(folder, "work");
  await mkdir(cwd);
  if (config !== undefined) await writeFile(join(cwd, "config.yaml"), config, { mode: 0o600 });
  const home = join(folder, "home");
  return { home, cwd, env: { TROUPE_HOME: home, OLLAMA_HOST: NOBODY, PATH: "/nowhere", NO_COLOR: "1" } };
}
