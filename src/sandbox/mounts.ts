// Which further folders of the machine commands may read, as the config names them (`tools.terminal.mounts`), and which
// it cannot name: none that shows Troupe's own token and store, or what the walls keep out. It refuses a link that
// leads there, also one that was swapped in after the start.

import { ToolError } from "../base/errors.ts";
import { isWithin } from "./bubblewrap-argv.ts";
import { placeOf } from "./workspace-place.ts";

/** A folder that is shown, and what it is. */
export interface PlacedMount {
  /** Where it is seen inside: as it stands in the config. */
  readonly path: string;
  /** Where it really is. */
  readonly source: string;
  /** `device:inode`, as `stat -c %d:%i` writes it. */
  readonly mark: string;
}

/** Of these the walls are built: processes, devices, sockets, logins. */
const KEPT_OUT = ["/proc", "/sys", "/dev", "/run", "/var/run", "/etc"];

/** Why this folder cannot be shown, or `null`. Contract: pure; both are absolute, links resolved. */
export function mountProblem(source: string, own: readonly string[]): string | null {
  const shows = (path: string): boolean => isWithin(path, source) || isWithin(source, path);
  const held = own.find(shows);
  if (held !== undefined) return `it would show commands Troupe's own ${held} (token, store)`;
  const kept = source === "/tmp" ? source : KEPT_OUT.find(shows);
  return kept === undefined ? null : `it would show commands ${kept}, which the walls keep out`;
}

/** The folders as they are now. Contract: throws ToolError `no_mount`. */
export function mountPlaces(
  mounts: readonly string[],
  own: readonly string[],
): Promise<readonly PlacedMount[]> {
  return Promise.all(
    mounts.map(async (path) => {
      const { path: source, mark } = await placeOf(path, noMount);
      const problem = mountProblem(source, own);
      if (problem !== null) throw noMount(path, problem);
      return { path, source, mark };
    }),
  );
}

function noMount(path: string, why: string): ToolError {
  const message = `The folder ${path} of tools.terminal.mounts cannot be shown to commands: ${why}.`;
  return new ToolError("no_mount", message, { details: { config_key: "tools.terminal.mounts" } });
}
