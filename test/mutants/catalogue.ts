// All mutants, room by room.

import { ASKING_MUTANTS } from "./asking.ts";
import { HOST_MUTANTS } from "./host.ts";
import { JOURNAL_MUTANTS } from "./journal.ts";
import { MACHINE_MUTANTS } from "./machine.ts";
import { MAIL_MUTANTS } from "./mail.ts";
import { MODEL_MUTANTS } from "./models.ts";
import type { Mutant } from "./mutant.ts";
import { RESTART_MUTANTS } from "./restart.ts";
import { ROUTE_MUTANTS } from "./routes.ts";
import { SCHEDULER_MUTANTS } from "./scheduler.ts";
import { WORK_MUTANTS } from "./work.ts";

export const MUTANTS: readonly Mutant[] = [
  ...SCHEDULER_MUTANTS,
  ...MACHINE_MUTANTS,
  ...HOST_MUTANTS,
  ...MAIL_MUTANTS,
  ...ASKING_MUTANTS,
  ...JOURNAL_MUTANTS,
  ...WORK_MUTANTS,
  ...RESTART_MUTANTS,
  ...MODEL_MUTANTS,
  ...ROUTE_MUTANTS,
];
