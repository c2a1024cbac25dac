import "./browser";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import results from "../src/results";
import { across } from "../src/results/grid";
import { inPlace, listed, sameOrder } from "../src/results/order";
import { mount } from "../src/svelte_runtime_entry";
import type { Hit } from "../src/types";
import { gradio, visit } from "./browser";

const hit = (id: string, more: Partial<Hit> = {}): Hit => ({
  id,
  rank: 1,
  index: "default",
  root: "corpus",
  document: `notes/${id}.txt`,
  file: `/corpus/notes/${id}.txt`,
  kind: "text",
  modality: "text",
  locator: {},
  score: 0.9,
  rerank_score: 0.9,
  lanes: {},
  members: [],
  folded: [],
  snippet: "the pilot boat",
  marks: [[4, 9]],
  context: {},
  dated: null,
  thumbnail: "",
  ...more,
});
const query = {
  words: "pilot",
  pictures: [],
  like: "",
  kinds: [],
  paths: [],
  roots: [],
  indexes: [],
  after: "",
  before: "",
  sort: "",
  number: 1,
};
const found = (hits: Hit[], more: Record<string, unknown> = {}) => ({
  value: {
    query,
    answer: { hits, counts: {}, notes: [], good: true, reranked: true, index: "default", seconds: { total: 0.25 } },
    failure: null,
    settled: true,
    ...more,
  },
});
function drawn(props: Record<string, unknown>) {
  const target = document.createElement("div");
  document.body.replaceChildren(target);
  const given = gradio(props);
  mount(results, { target, props: given.given });
  const texts = (selector: string): (string | null)[] =>
    Array.from(target.querySelectorAll(selector), (one) => one.textContent);
  return { ...given, target, texts };
}

beforeEach(() => visit("/?q=pilot"));

test("hits are cards with their matches marked, and the list says when it is whole", () => {
  const { texts, target } = drawn(found([hit("a"), hit("b")]));
  assert.deepEqual(texts(".card h3"), ["a.txt", "b.txt"]);
  assert.deepEqual(texts(".card mark"), ["pilot", "pilot"]);
  assert.deepEqual(texts(".told"), ["2 results · 0.25 s · reranked"]);
  assert.deepEqual(texts(".end"), ["No more results."]);
  assert.equal(target.querySelector(".card-open")?.getAttribute("href"), "/?q=pilot&open=a");
});

test("the whole list is counted, and more follow while there is a cursor", () => {
  const { answer, ...rest } = found([hit("a")]).value;
  const { texts, set } = drawn({
    value: { ...rest, answer: { ...answer, total: { results: 10_000, exact: false }, next: "24-0" } },
  });
  assert.deepEqual(texts(".told"), ["10,000+ results · 0.25 s · reranked"]);
  assert.deepEqual(texts(".end"), ["More results"]);
  set({ value: { ...rest, answer: { ...answer, total: { results: 1, exact: true }, next: null } } });
  assert.deepEqual([texts(".told"), texts(".end")], [["1 result · 0.25 s · reranked"], ["No more results."]]);
});

test("a click selects a hit, and Ctrl-click is left to the browser", () => {
  const { target, events } = drawn(found([hit("a"), hit("b")]));
  const link = target.querySelectorAll<HTMLElement>(".card-open")[1];
  link?.dispatchEvent(new MouseEvent("click", { ctrlKey: true, cancelable: true }));
  assert.deepEqual(events, []);
  link?.dispatchEvent(new MouseEvent("click", { cancelable: true }));
  const [name, detail] = events[0] as [string, { id: string; words: string; hits: { id: string }[] }];
  assert.equal(name, "select");
  assert.deepEqual([detail.id, detail.words, detail.hits.map((one) => one.id)], ["b", "pilot", ["a", "b"]]);
});

test("an answer to an older query is not shown", () => {
  const { texts, set } = drawn(found([hit("new")], { query: { ...query, number: 5 } }));
  set(found([hit("old")], { query: { ...query, number: 4 } }));
  assert.deepEqual(texts(".card h3"), ["new.txt"]);
});

test("a first order that comes after the reranked one is not shown", () => {
  const { texts, set, target } = drawn(found([hit("best"), hit("next")]));
  set(found([hit("next"), hit("best")], { settled: false }));
  assert.deepEqual(texts(".card h3"), ["best.txt", "next.txt"]);
  assert.equal(target.querySelector<HTMLElement>(".search")?.dataset.settled, "true");
});

test("a failure leaves what is there, and can be tried again", () => {
  const { texts, set, target, events } = drawn(found([hit("a")]));
  set({
    value: { ...found([hit("a")]).value, failure: { what: "the reranker is down", remedy: "start it", code: "x" } },
  });
  assert.deepEqual(texts(".trouble strong"), ["the reranker is down"]);
  assert.equal(texts(".card").length, 1);
  target.querySelector<HTMLElement>(".trouble button")?.click();
  assert.deepEqual(events.at(-1)?.[0], "retry");
});

test("nothing found is said once, with what to do", () => {
  const { texts, target, events } = drawn(found([], { query: { ...query, kinds: ["page"] } }));
  assert.deepEqual(texts(".empty strong"), ["Nothing found"]);
  assert.deepEqual(texts(".told"), [""]);
  target.querySelector<HTMLElement>(".empty button")?.click();
  assert.deepEqual(events.at(-1)?.[0], "clear");
});

test("an order held still", () => {
  const hits = [hit("b"), hit("a"), hit("c")];
  assert.equal(
    inPlace(hits, [hit("c"), hit("x")])
      .map((one) => one.id)
      .join(""),
    "bac",
  );
  assert.ok(!sameOrder(hits, [...hits].reverse()));
  assert.ok(!("snippet" in listed(hits[0] as Hit)));
});

test("arrows go to the nearest card of the next row, and up from the first row out of the list", () => {
  const boxes = [0, 0, 300, 300, 600].map((top, n) => ({ top, left: (n % 2) * 200 }));
  assert.deepEqual([across(boxes, 0, 1), across(boxes, 1, 1), across(boxes, 3, 1), across(boxes, 4, 1)], [2, 3, 4, 4]);
  assert.deepEqual([across(boxes, 3, -1), across(boxes, 0, -1)], [1, -1]);
});
