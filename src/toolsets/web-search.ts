// One question to the search server that the config names (SearXNG, or what speaks like it): its answer is parsed as
// what it should be, cut to what a model needs, and only addresses of the web are passed on.

import { z } from "zod";
import { ToolError } from "../base/errors.ts";
import { askServer, type FetchLimits, type WebReach } from "./web-fetch.ts";
import { refuse } from "./web-guard.ts";
import { inertText } from "./web-text.ts";

export interface SearchHit {
  readonly title: string;
  readonly url: string;
  readonly snippet: string;
}

const MAX_TITLE_CHARS = 200;
const MAX_SNIPPET_CHARS = 500;
const MAX_LINK_CHARS = 1_000;

const answerSchema = z.object({
  results: z.array(
    z.object({
      url: z.string(),
      title: z.string().nullish(),
      content: z.string().nullish(),
    }),
  ),
});

/** The address that a question is asked at: `/search` where the config names the server alone. */
export function searchUrl(server: string, query: string): URL {
  const url = new URL(server);
  if (url.pathname === "/") url.pathname = "/search";
  url.searchParams.set("q", query);
  url.searchParams.set("format", "json");
  return url;
}

/** Contract: throws ToolError `search_failed`, and what `askServer` throws. */
export async function search(
  question: { readonly server: string; readonly query: string; readonly most: number },
  reach: WebReach,
  limits: FetchLimits,
): Promise<readonly SearchHit[]> {
  const { server, query, most } = question;
  const answer = await askServer(searchUrl(server, query), reach, limits);
  if (answer.status !== 200) {
    throw refuse(
      "search_failed",
      `The search server answered ${answer.status} instead of 200. A SearXNG needs json under search.formats in its settings; its address is tools.web.search_url.`,
    );
  }
  const { results } = parsed(answer.bytes);
  return results
    .flatMap(({ url, title, content }) => {
      const link = URL.parse(url);
      if (link === null || !/^https?:$/.test(link.protocol) || link.href.length > MAX_LINK_CHARS) return [];
      return [
        {
          title: oneLine(title ?? "", MAX_TITLE_CHARS),
          url: link.href,
          snippet: oneLine(content ?? "", MAX_SNIPPET_CHARS),
        },
      ];
    })
    .slice(0, most);
}

function parsed(bytes: Uint8Array): z.infer<typeof answerSchema> {
  try {
    return answerSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (error) {
    throw new ToolError(
      "search_failed",
      "Expected JSON with a list of results from the search server, got something else (tools.web.search_url in the config).",
      { cause: error },
    );
  }
}

function oneLine(text: string, chars: number): string {
  return inertText(text).replaceAll(/\s+/g, " ").trim().slice(0, chars).toWellFormed();
}
