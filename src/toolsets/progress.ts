// The one tool that every working task has: saying how far it is. Progress is an event, shown by `check_task`, the
// tree and every stream; it is never a result.

import type { Tool, Toolset } from "../core/tool.ts";

const reportProgress: Tool = {
  definition: {
    name: "report_progress",
    description: "Say how far you are, for those who watch. Not a result: go on working after it.",
    parameters: {
      type: "object",
      properties: {
        percent: { type: "number", minimum: 0, maximum: 100 },
        note: { type: "string", maxLength: 500 },
        partial: { description: "A partial result, if one is already useful." },
      },
      additionalProperties: false,
    },
  },
  repeatable: true,
  async run(input, context) {
    const { percent, note, partial } = input;
    await context.reportProgress({
      ...(typeof percent === "number" && { percent }),
      ...(typeof note === "string" && { note }),
      ...(partial !== undefined && { partial }),
    });
    return { type: "result", value: "Noted." };
  },
};

export const progressToolset: Toolset = {
  name: "progress",
  description: "Report progress and partial results.",
  tools: () => [reportProgress],
};
