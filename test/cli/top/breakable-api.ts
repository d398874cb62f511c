// The canned API behind a line that a test can cut.

import { SimulatedClock } from "../../../src/base/clock.ts";
import { ConfigError, type TroupeError } from "../../../src/base/errors.ts";
import type { TreeNode } from "../../../src/core/api.ts";
import { CannedApi } from "../../http/canned-api.ts";

export const UNREACHABLE = new ConfigError("server_unreachable", "Expected a Troupe server, got: refused.");

export class BreakableApi extends CannedApi {
  broken: TroupeError | null = null;
  /** Calls of `tree`. */
  looks = 0;
  /** What a look waits for; `null` answers at once. */
  held: Promise<void> | null = null;

  override async tree(rootId?: string): Promise<TreeNode[]> {
    this.looks += 1;
    await this.held;
    if (this.broken !== null) throw this.broken;
    return super.tree(rootId);
  }
}

export function breakableRig() {
  const clock = new SimulatedClock();
  return { clock, api: new BreakableApi({ clock }) };
}
