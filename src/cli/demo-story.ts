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

/** What a child of the simulated box writes when it followed a steer. */
export const FOLLOWED = /I followed the steer "([^"]*)"/;
