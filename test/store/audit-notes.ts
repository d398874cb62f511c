// Notes for the tests of the audit log.

import type { AuditNote } from "../../src/core/audit.ts";
import { digestOf } from "../../src/core/audit.ts";

export function noteOf(target: string, more: Partial<AuditNote> = {}): AuditNote {
  return {
    actor: "person:ci",
    action: "task.cancel",
    target,
    digest: digestOf(target),
    outcome: "ok",
    ...more,
  };
}
