import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { familyOf, tokens } from "../src/viewer/code";
import { markdown } from "../src/viewer/markdown";
import { sheet } from "../src/viewer/sheet";
import { inUnits, styled } from "../src/viewer/styled";

function page(...made: (string | Node)[]): HTMLElement {
  const place = document.createElement("div");
  place.append(...made);
  return place;
}
const texts = (place: HTMLElement, selector: string): string[] =>
  [...place.querySelectorAll(selector)].map((one) => one.textContent ?? "");

test("Markdown becomes elements, with the matches in them", () => {
  const text = "# Berths\n\nThe **tug** lies at `berth 7`, see [the plan](http://evil/).\n- one\n1. two\n> said";
  const at = text.indexOf("tug");
  const place = page(...markdown(text, [[at, at + 3]]));
  assert.deepEqual(texts(place, ".md-heading"), ["Berths"]);
  assert.deepEqual(texts(place, ".md-strong mark"), ["tug"]);
  assert.deepEqual(texts(place, ".md-mono"), ["berth 7"]);
  assert.deepEqual(texts(place, ".md-link"), ["the plan"]);
  assert.deepEqual(texts(place, ".md-item"), ["•one", "1.two"]);
  assert.deepEqual(texts(place, "blockquote"), ["said"]);
});

test("a paragraph and an item run over several lines", () => {
  const place = page(
    ...markdown("The tug lies\nat **berth\n7** today.\n\n- one\n  and more\n- two\n# Next\nwords", []),
  );
  assert.deepEqual(texts(place, "p"), [
    "The tug lies\nat berth\n7 today.",
    "•one\n  and more",
    "•two",
    "Next",
    "words",
  ]);
});

test("tables and code of Markdown", () => {
  const text = '| Tag | Price |\n|---|---|\n| TG-1 | 8900 |\n\n```python\nx = "a"  # note\n```\nafter';
  const at = text.indexOf("TG-1");
  const place = page(...markdown(text, [[at, at + 4]]));
  assert.deepEqual(texts(place, "th"), [" Tag ", " Price "]);
  assert.deepEqual(texts(place, "td mark"), ["TG-1"]);
  assert.deepEqual([texts(place, ".code-string"), texts(place, ".code-comment")], [['"a"'], ["# note"]]);
  assert.deepEqual(texts(place, "p"), ["after"]);
});

test("nothing of a stranger becomes markup", () => {
  const text =
    '<img src=x onerror=alert(1)> <script>alert(1)</script> ![x](javascript:alert(1)) [y](data:text/html,z "t")';
  const place = page(...markdown(text, []));
  assert.equal(place.querySelector("img, script, a, iframe"), null);
  assert.equal(place.textContent, " alert(1) x y");
});

test("rows of a sheet are a table with numbers to the right", () => {
  const text = "Tag | Price\nTG-1 | 8900\nTG-2 | 1,200 €";
  const at = text.indexOf("TG-2");
  const place = page(sheet(text, [[at, at + 4]], true));
  assert.deepEqual(texts(place, "th"), ["Tag", "Price"]);
  assert.deepEqual(texts(place, ".is-number"), ["8900", "1,200 €"]);
  assert.deepEqual(texts(place, "tr.has-mark"), ["TG-21,200 €"]);
  assert.deepEqual(texts(place, "mark"), ["TG-2"]);
});

test("parts of a source file by its language", () => {
  const looks = (text: string, name: string): [string, string][] =>
    tokens(text, familyOf(name)).map(({ from, to, look }) => [text.slice(from, to), look.replace("code-", "")]);
  assert.deepEqual(looks("def f(x):  # half\n    return 'a#b' + 0x1F", "tide.py"), [
    ["def", "keyword"],
    ["# half", "comment"],
    ["return", "keyword"],
    ["'a#b'", "string"],
    ["0x1F", "number"],
  ]);
  assert.deepEqual(looks("SELECT berth -- all\nFROM booking", "a.sql"), [
    ["SELECT", "keyword"],
    ["-- all", "comment"],
    ["FROM", "keyword"],
  ]);
  assert.deepEqual(looks("plain words # here", "notes.txt"), []);
});

test("matches are counted in code points and cut by units", () => {
  const text = "🛥 boat at 7";
  assert.deepEqual(inUnits(text, [[2, 6]]), [[3, 7]]);
  const place = page(...styled(text, 0, text.length, [{ from: 3, to: 10, look: "x" }], [[3, 7]]));
  assert.deepEqual([texts(place, "mark"), texts(place, ".x"), place.textContent], [["boat"], ["boat at"], text]);
});
