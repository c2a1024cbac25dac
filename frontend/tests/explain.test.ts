import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Listed } from "../src/types";
import { why } from "../src/viewer/explain";

const names = (hit: unknown): string[] =>
  [...why(hit as Listed).querySelectorAll("tbody th")].map((cell) => cell.textContent ?? "");

test("every model of an index is a row of its own, with its name", () => {
  const lanes = {
    dense: { rank: 2, score: 0.4, space: "lite" },
    "dense:half": { rank: 1, score: 0.9, space: "half" },
    lexical: { rank: 1, score: 3 },
  };
  const rows = names({ rank: 1, score: 0.9, lanes, rerank_score: null });
  assert.deepEqual(rows.slice(0, 3), [
    "Similar look or meaning (vectors) · lite",
    "Similar look or meaning (vectors) · half",
    "Same words (full text)",
  ]);
});

test("an index of one model has one such row, without a name", () => {
  const rows = names({ rank: 1, score: 0.9, lanes: { lexical: { rank: 1, score: 3 } }, rerank_score: null });
  assert.deepEqual(rows.slice(0, 2), ["Similar look or meaning (vectors)", "Same words (full text)"]);
});
