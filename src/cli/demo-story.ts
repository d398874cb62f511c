// What the demo is about: three goals over the files of this very package, and what the scripted person types. Plain
// data. Each goal names several folders, so that its child has turns enough to be steered or cancelled at work.

/** Which goal meets which fate; the order in which they are delegated. The first one is left alone. */
export const STEERED = 1;
export const CANCELLED = 2;

export const GOALS: readonly [string, string, string] = [
  "List the largest files in src/core and src/store",
  "Describe src/base, src/scheduler, src/store, src/http and src/core",
  "Review src/runtime, src/config, src/toolsets and src/simulator",
];

/** Said to a parent that delegates by itself. */
export const REQUEST = `Do three things at once: ${GOALS.join("; ")}.`;
export const QUESTION = "While they work: what is 17 * 23?";
export const STEER_TEXT = "look only at src/core";
export const STEER = `Tell the second task to ${STEER_TEXT}`;
export const CANCEL = "Cancel the third task.";

/** With a crash, the first child is done early, and its result is there before. */
export const CRASH_GOALS: typeof GOALS = [
  "Be brief: list the largest files in src/config",
  GOALS[1],
  GOALS[2],
];
export const CRASH_REQUEST = `Do three things at once: ${CRASH_GOALS.join("; ")}.`;
/** Said when everything is back. */
export const AFTERWARDS = "You were gone for a moment. What is 12 * 34?";

/** What a child of the simulated box writes when it followed a steer. */
export const FOLLOWED = /I followed the steer "([^"]*)"/;
