// sim-worker: looks at files with the tools it was given, one look a turn, and reports what it found. A steer that
// arrives on the way changes the next look and the report. Without file tools it says so.

import { parseCompletion, parseSteer } from "../../core/transcript-marks.ts";
import { call, offers, say, type Policy, type PolicyCall, type PolicyRequest } from "../policy.ts";
import { plainAnswer } from "./chat.ts";
import { exchangesOf, freshTexts, userTexts } from "./transcript.ts";
import { briefOf } from "./worker-brief.ts";
import { nextLook, seenIn } from "./worker-plan.ts";
import { reportOf } from "./worker-report.ts";

const FILE_TOOLS = ["list_dir", "read_file", "search_files"];

/** The messages of the job in hand: from the last goal on, which is the last plain user text after a final answer. */
function job(request: PolicyRequest): PolicyRequest["messages"] {
  const answered = request.messages.findLastIndex(
    (message) => message.role === "assistant" && message.calls.length === 0,
  );
  const since = request.messages.slice(answered + 1);
  const isGoal = (text: string): boolean => parseSteer(text) === null && parseCompletion(text) === null;
  return userTexts(since).some(isGoal) ? since : request.messages;
}

/** What the task's output shows of a look. */
function sayLook(look: PolicyCall): string {
  const [first, second] = Object.values(look.arguments).filter((value) => typeof value === "string");
  if (look.name === "search_files") return `Searching ${second ?? "."} for "${first}".`;
  if (look.name === "list_dir") return first === "." ? "Listing the workspace." : `Listing ${first}.`;
  return `Reading ${first}.`;
}

/** Contract: pure; one call a turn until the plan ends, then the report. */
export const workerPolicy: Policy = (request) => {
  if (!FILE_TOOLS.some((name) => offers(request, name))) {
    const texts = freshTexts(request).map((text) => plainAnswer(parseSteer(text) ?? text));
    return say(texts.join("\n") || "I was given no tools, so I have nothing to report.");
  }
  const messages = job(request);
  const [goal = "", ...later] = userTexts(messages);
  const steers = later
    .filter((text) => parseCompletion(text) === null)
    .map((text) => parseSteer(text) ?? text);
  const brief = briefOf(parseSteer(goal) ?? goal, steers);
  const seen = seenIn(exchangesOf(messages));
  const look = nextLook(request, brief, seen);
  return look ? call([look], sayLook(look)) : say(reportOf(brief, seen));
};
