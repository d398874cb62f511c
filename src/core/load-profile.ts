// A load profile: one model on one backend with the options that it is loaded with. Whatever is sent to a server about
// a model carries the options of its profile and no others, because each of them makes Ollama load the model anew
// when two requests differ in it (scheduling.md, facts 9 and 10; G15).

import type { BackendSettings, ModelSettings } from "./settings.ts";
import type { ModelRef } from "./task.ts";

/** The options that a model is loaded with. An absent one leaves the server's own, and is absent in every request. */
export interface RunnerOptions {
  /** The context window of each conversation (`num_ctx`). */
  readonly contextTokens?: number;
}

export interface LoadProfile {
  readonly backend: string;
  readonly model: string;
  readonly runner: RunnerOptions;
}

/** What an Ollama passes on to its cloud is never in its memory; its names end so (`gpt-oss:120b-cloud`). */
const RUNS_ELSEWHERE = /[-:]cloud$/;

/** Whether its server passes what this model is told on to a cloud. */
export function runsElsewhere(model: string): boolean {
  return RUNS_ELSEWHERE.test(taggedModel(model));
}

/** Whether what a model is told stays on this box: its backend is here, and passes it on to no cloud. */
export function runsHere(
  { model, backend }: Pick<ModelRef, "model" | "backend">,
  backends: readonly Pick<BackendSettings, "name" | "local">[],
): boolean {
  const isLocal = backends.find(({ name }) => name === backend)?.local === true;
  return isLocal && !runsElsewhere(model);
}

/** The options that this model is loaded with, whoever asks it: children, sessions, second tries, preloads. */
export function runnerOptionsOf({ contextTokens }: Pick<ModelSettings, "contextTokens">): RunnerOptions {
  return contextTokens === null ? {} : { contextTokens };
}

/**
 * The profile of a model on its backend; `null` where nothing is loaded at our command: a cloud endpoint, a model
 * that its server passes on to one, or a server whose models we do not load and unload.
 */
export function loadProfileOf(
  model: Pick<ModelSettings, "ref" | "contextTokens">,
  backend: Pick<BackendSettings, "name" | "residency"> | undefined,
): LoadProfile | null {
  const name = taggedModel(model.ref.model);
  if (backend?.residency === undefined || runsElsewhere(name)) return null;
  return { backend: backend.name, model: name, runner: runnerOptionsOf(model) };
}

/** The name of a profile within its backend, as `qwen3:8b@16384`; empty for a backend that is one lane as a whole. */
export function profileKey(profile: LoadProfile | null): string {
  return profile === null ? "" : `${profile.model}@${profile.runner.contextTokens ?? "auto"}`;
}

/** A model's name with its tag: without one, `latest` is meant. */
export function taggedModel(name: string): string {
  return /:[^/]*$/.test(name) ? name : `${name}:latest`;
}
