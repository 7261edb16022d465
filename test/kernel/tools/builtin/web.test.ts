import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../../kernel/limits.ts";
import { bodyText } from "../../../../kernel/tools/builtin/web/body-text.ts";
import { htmlText } from "../../../../kernel/tools/builtin/web/html-text.ts";

describe("a web page as text", () => {
  test("is its title and its words, a line a block", () => {
    const html = `<!doctype html><html><head><title> The &amp; Lamp </title><style>p{color:red}</style></head>
      <body><!-- hidden --><h1>Lamp&nbsp;No. 7</h1><p>It <b>glows</b> &#9733; &#x4e2d;.</p><ul><li>one<li>two</ul>
      <script>document.write("<p>never</p>")</script><a href="x" title="a > b">link</a></body></html>`;
    expect(htmlText(html)).toEqual({
      title: "The & Lamp",
      text: "Lamp No. 7\n\nIt glows ★ 中.\n\none\ntwo\n\nlink",
    });
  });

  test("survives what is no HTML", () => {
    expect(htmlText("1 < 2 and 3 > 2").text).toBe("1 < 2 and 3 > 2");
    expect(htmlText("<p>a<b").text).toBe("a");
    expect(htmlText("<script>never ends").text).toBe("");
    expect(htmlText("&bogus; &#0; &#x110000;").text).toBe("&bogus; &#0; &#x110000;");
    expect(htmlText("").text).toBe("");
  });

  test.each(["<", "<a ", '<a "', "<!--", "<svg>", "<title>", "</p", "&#", "<a b='", "<<a>"])(
    "takes no time for two million characters of %j",
    (piece) => {
      const html = piece.repeat(Math.ceil(2_000_000 / piece.length));
      expect(htmlText(html).text.length).toBeLessThanOrEqual(html.length);
    },
  );
});

describe("a body", () => {
  const body = (type: string | null, bytes: Uint8Array, complete = true) => ({
    bytes,
    headers: new Headers(type === null ? {} : { "content-type": type }),
    complete,
  });
  const utf8 = (text: string) => new TextEncoder().encode(text);

  test("is decoded by its charset", () => {
    const gbk = Uint8Array.of(0xd6, 0xd0, 0xce, 0xc4);
    expect(bodyText(body("text/plain; charset=GBK", gbk), { markup: false }).text).toBe("中文");
    expect(bodyText(body("text/plain; charset=no-such", utf8("中")), { markup: false }).text).toBe("中");
  });

  test("is shown as written where markup is wanted, and as words where not", () => {
    const page = body("text/html", utf8("<p>hi</p>"));
    expect(bodyText(page, { markup: true }).text).toBe("<p>hi</p>");
    expect(bodyText(page, { markup: false }).text).toBe("hi");
  });

  test("that is no text is not shown", () => {
    expect(bodyText(body("image/png", utf8("x")), { markup: false }).text).toBeNull();
    expect(bodyText(body(null, Uint8Array.of(0xff, 0xfe, 0x00)), { markup: false }).text).toBeNull();
    expect(bodyText(body(null, utf8("plain")), { markup: false }).text).toBe("plain");
  });

  test("says when it was cut, here or on the way", () => {
    const long = body("text/plain", utf8("x".repeat(LIMITS.webTextChars + 1)));
    expect(bodyText(long, { markup: false })).toMatchObject({ truncated: true });
    expect(bodyText(body("text/plain", utf8("x"), false), { markup: false })).toMatchObject({ truncated: true });
    expect(bodyText(body("text/plain", utf8("x")), { markup: false })).toMatchObject({ truncated: false });
  });
});
