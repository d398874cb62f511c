// What stands in for a language model: a policy reads the chat so far and decides the next answer by rule.
// A policy is a pure function. It has no clock, no randomness and no memory but the transcript it is shown, so the
// same transcript always gives the same answer. It is a simulation and is never presented as a model.

/** A call of a tool that a policy wants made. */
export interface PolicyCall {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** One chat message, in the one form that both wire protocols are read into. */
export interface PolicyMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
  /** What an assistant asked for, in order. */
  readonly calls: readonly (PolicyCall & { readonly id: string | null })[];
  /** Of a tool result: the call it answers, where the protocol says so. */
  readonly callId: string | null;
  readonly toolName: string | null;
}

/** A tool that the request offers. */
export interface PolicyTool {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** All that a policy may look at. */
export interface PolicyRequest {
  readonly messages: readonly PolicyMessage[];
  readonly tools: readonly PolicyTool[];
}

/** An answer: text, calls, or both. `thinking` is streamed first, and only when the request asks for it. */
export interface PolicyAnswer {
  readonly text: string;
  readonly calls: readonly PolicyCall[];
  readonly thinking: string;
}

/** Contract: pure; never throws, whatever the transcript holds. */
export type Policy = (request: PolicyRequest) => PolicyAnswer;

/** An answer in words alone. */
export function say(text: string): PolicyAnswer {
  return { text, calls: [], thinking: "" };
}

/** An answer that calls tools, with words before the calls where there are any. */
export function call(calls: readonly PolicyCall[], text = ""): PolicyAnswer {
  return { text, calls, thinking: "" };
}

/** Whether the request offers a tool of this name. */
export function offers(request: PolicyRequest, name: string): boolean {
  return request.tools.some((tool) => tool.name === name);
}
