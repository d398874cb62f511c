import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { settle } from "../../src/base/clock.ts";
import { inertText, readHtml } from "../../src/toolsets/web-text.ts";

const BASE = new URL("https://page.test/docs/");
const read = async (html: string, links = false): Promise<string> =>
  (await readHtml(html, { base: BASE, links })).text;

describe("readHtml", () => {
  test.each<[string, string, string]>([
    ["paragraphs", "<p>one\n two</p><p>three<br>four</p>", "one two\n\nthree\nfour"],
    ["lists", "<ul><li>a</li><li>b <b>c</b></li></ul>", "- a\n- b c"],
    ["tables", "<table><tr><th>x<th>y<tr><td>1<td>2</table>", "x y\n1 2"],
    ["words of several elements", "a<b>b</b>c <i>d</i>", "abc d"],
    ["entities", "&lt;b&gt; &amp;amp; &eacute; &#x20AC; &nbsp;&nosuch;", "<b> &amp; é € &nosuch;"],
    ["what is laid out", "<pre>if x:\n    y</pre>", "if x:\n    y"],
    ["no scripts and styles", "<script>if (a < b) '</p>'</script><style>p{}</style>ok", "ok"],
    ["no comments", "a<!-- <p>b</p> -->c", "ac"],
    ["what is around only where nothing else is", "<nav>home</nav>", "home"],
    ["the content without what is around it", "<nav>home</nav><p>text</p><footer>2026</footer>", "text"],
    ["what stands behind a gap that is never closed", "<p>a</p><nav><p>b", "a"],
    ["broken markup", "<p>a<<b>b</ <c>d", "a<bd"],
    ["nothing", "", ""],
  ])("shows %s", async (_, html, text) => {
    expect(await read(html)).toBe(text);
  });

  test("prefers the part that the page calls its content, where that is more than a teaser", async () => {
    const long = "word ".repeat(60).trim();
    expect(await read(`<div>menu</div><main><p>${long}</p></main><div>more</div>`)).toBe(long);
    expect(await read("<div>menu</div><article>teaser</article>")).toBe("menu\n\nteaser");
  });

  test("has the title, once and on one line", async () => {
    const html = "<title>One &amp;\n <b>two</title><svg><title>three</title></svg><p>x</p>";
    expect(await readHtml(html, { base: BASE, links: false })).toEqual({ title: "One & <b>two", text: "x" });
  });

  test("shows where links lead when asked, and only on the web", async () => {
    const html = '<a href="../a?b=1&amp;c=2">in</a>, <a href="javascript:x()">js</a>, <a name=x>none</a>';
    expect(await read(html, true)).toBe("in (https://page.test/a?b=1&c=2), js, none");
    expect(await read(html)).toBe("in, js, none");
  });

  test("takes time in proportion to the page, however deep it pretends to be", async () => {
    const deep = "<div><b><nav>".repeat(60_000) + "x" + "</p></i>".repeat(60_000);
    const blanks = `<p>${" ".repeat(500_000)}</p><pre>${" \n".repeat(200_000)}</pre>y`;
    expect(await read(deep)).toBe("x");
    expect(await read(blanks)).toBe("y");
  });

  test("lets others have their turn while it reads a long page, and cuts nothing between the pieces", async () => {
    const words = Array.from({ length: 100_000 }, (_, n) => `w😀${n}&amp;`);
    let turns = 0;
    let isDone = false;
    const counting = (async () => {
      while (!isDone) {
        await settle();
        turns += 1;
      }
    })();
    const text = await read(`<p>${words.join(" ")}</p>`);
    isDone = true;
    await counting;
    expect(text).toBe(words.join(" ").replaceAll("&amp;", "&"));
    expect(turns).toBeGreaterThan(10);
  });

  test("makes text of anything, without a control character", async () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "<",
        ">",
        "</",
        "<p",
        "<!--",
        "<![CDATA[",
        "&#27;",
        "&#x202E;",
        "<title>",
        "<pre>",
        "<a href=",
        "\u001B[",
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
        const { title, text } = await readHtml(pieces.join(""), { base: BASE, links: true });
        // oxlint-disable-next-line no-control-regex -- that there is none is what is asked
        expect(title + text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
        expect((title + text).isWellFormed()).toBe(true);
      }),
      { numRuns: 150 },
    );
  });
});

test("a page of many links at a long address comes to no more than addresses of two million characters", async () => {
  const base = new URL(`https://a.test/${"b".repeat(4_000)}/`);
  const { text } = await readHtml("<a href=c>d</a> ".repeat(20_000), { base, links: true });
  expect(text.length).toBeLessThan(2_100_000);
  expect(text).toMatch(/^d \(https:\/\/a\.test\/b+\/c\) d/);
  expect(text).toMatch(/ d\n\[where further links lead is not shown\]$/);
});

test("inertText keeps words of any script, tabs and lines, and nothing that hides", () => {
  const kept = "a\tb\nc — é 中文 👩‍🚀 نص क्ष";
  expect(inertText(kept)).toBe(kept);
  expect(inertText("a\r\nb\rc\u0000\u001B[2J\u009B1m\u202Ex\u200B\u{E0049}\uD800")).toBe(
    "a\nb\nc[2J1mx\uFFFD",
  );
});
