import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { h, marked } from "../src/dom";

test("text of strangers becomes text, never elements", () => {
  const made = h("p", { title: '"><img>' }, "<img src=x onerror=alert(1)>");
  assert.equal(made.children.length, 0);
  assert.equal(made.textContent, "<img src=x onerror=alert(1)>");
});

test("addresses of other hosts and schemes become one that does nothing", () => {
  const href = (address: string): string | null => h("a", { href: address }).getAttribute("href");
  assert.deepEqual(["/v1/x", "?q=1", "blob:x"].map(href), ["/v1/x", "?q=1", "blob:x"]);
  const bad = ["javascript:alert(1)", "//example.com", "https://example.com", "data:text/html,x"];
  assert.deepEqual(bad.map(href), ["#", "#", "#", "#"]);
});

test("nothing is drawn for what is missing", () => {
  assert.equal(
    h("p", { hidden: false, "aria-label": null }, null, false, undefined, ["a", ["b"]]).outerHTML,
    "<p>ab</p>",
  );
});

test("marks are ranges of code points, and neighbours are joined", () => {
  const text = (parts: (string | HTMLElement)[]): string[] =>
    parts.map((one) => (typeof one === "string" ? one : `[${one.textContent}]`));
  assert.deepEqual(text(marked("🐟 harbour", [[2, 9]])), ["🐟 ", "[harbour]"]);
  assert.deepEqual(
    text(
      marked("台风来了", [
        [1, 2],
        [0, 1],
      ]),
    ),
    ["[台风]", "来了"],
  );
  assert.deepEqual(text(marked("short", [[3, 99]])), ["short"]);
});
