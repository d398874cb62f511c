// Answers of which the whole text is known. On Node the adapter has a class of response of its own, which goes to the wire
// without a stream being made and read for it; whoever serves names it here, and nobody's global Response is replaced.

type TextResponseClass = new (
  body: string,
  init: { readonly status: number; readonly headers: Readonly<Record<string, string>> },
) => Response;

const made: { as: TextResponseClass } = { as: Response };

/** From now on text answers are of this class, which must be a Response in all that it does. */
export function answerWith(as: TextResponseClass): void {
  made.as = as;
}

/** Header names in lower case. */
export function textResponse(
  text: string,
  status: number,
  headers: Readonly<Record<string, string>>,
): Response {
  return new made.as(text, { status, headers });
}
