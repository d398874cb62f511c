import { expect, test } from "vitest";
import { decoded } from "../../src/toolsets/web-charset.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const LATIN = new Uint8Array([...bytes("<meta charset=latin1>"), 0xe9]);

test.each([
  { what: "UTF-8 when nobody says", page: bytes("é"), type: "text/html", text: "é" },
  {
    what: "what the type says",
    page: Uint8Array.of(0xe9),
    type: 'text/html; charset="ISO-8859-1"',
    text: "é",
  },
  { what: "what the page says", page: LATIN, type: "text/html", text: "<meta charset=latin1>é" },
  { what: "UTF-8 by a senseless name", page: bytes("é"), type: "text/html; charset=klingon", text: "é" },
])("a page is read as $what", ({ page, type, text }) => {
  expect(decoded(page, type)).toBe(text);
});
