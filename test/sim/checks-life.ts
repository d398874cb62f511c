import type { Check } from "./check.ts";
export const LIFE_CHECKS: readonly Check[] = [];
