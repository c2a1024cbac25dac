import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { language, speak, t } from "../src/words";
import english from "../src/words/en.json";
import chinese from "../src/words/zh.json";

test("both languages have the same words, with the same values in them", () => {
  assert.deepEqual(Object.keys(english).sort(), Object.keys(chinese).sort());
  const names = (words: string): string[] =>
    [...new Set([...words.matchAll(/\{(\w+)/g)].map((one) => one[1] ?? ""))].sort();
  for (const [key, words] of Object.entries(english)) {
    const other = names((chinese as Record<string, string>)[key] ?? "");
    for (const name of other) assert.ok(names(words).includes(name), `${key}: {${name}} is only in the Chinese words`);
  }
});

test("values are filled in, in singular and plural, and stay as they are where unknown", () => {
  assert.equal(t("found", { n: "1" }), "1 result");
  assert.equal(t("found", { n: "24+" }), "24+ results");
  assert.equal(t("took", {}), "{s} s");
  assert.equal(t("page_title", { q: "<b>" }), "<b> · search");
});

test("the chosen language is remembered", () => {
  assert.equal(language(), "en");
  speak("zh");
  assert.equal(t("search"), "搜索");
  speak("en");
  assert.equal(t("search"), "Search");
});
