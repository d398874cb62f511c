// What a person does with the dashboard, one case after the other.

import { CHART_CASE, CHART_PAGE_CASE, CHART_PAST_CASE } from "./chart-case.ts";
import { DOOR_CASES } from "./door-cases.ts";
import { LIST_CASES } from "./list-cases.ts";
import type { Case } from "./stage.ts";
import { TALK_CASES } from "./talk-cases.ts";
import { TASK_CASES } from "./task-cases.ts";

export const CASES: readonly Case[] = [
  ...DOOR_CASES,
  ...TASK_CASES,
  ...LIST_CASES,
  ...TALK_CASES,
  CHART_CASE,
  CHART_PAGE_CASE,
  CHART_PAST_CASE,
];
