import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import * as address from "../src/address";
import { visit } from "./browser";

beforeEach(() => visit("/"));

test("an address and its query are the same both ways", () => {
  visit("/?q=pump+room&kind=page&kind=frame&path=%2Fphotos%2F**&after=2020-01-01&index=diary&open=1f&sort=new");
  const place = address.read();
  assert.deepEqual(place.kinds, ["page", "frame"]);
  assert.deepEqual([place.words, place.after, place.open, place.sort], ["pump room", "2020-01-01", "1f", "new"]);
  assert.deepEqual(new URLSearchParams(address.written(place).split("?")[1]).getAll("kind"), ["page", "frame"]);
  visit(address.written(place));
  assert.deepEqual(address.read(), place);
});

test("kinds that there are not, are left out", () => {
  visit("/?q=x&kind=page&kind=%3Cscript%3E");
  assert.deepEqual(address.read().kinds, ["page"]);
});

test("the same place adds no step to the history", () => {
  visit("/?q=x");
  const before = history.length;
  address.push(address.read());
  assert.equal(history.length, before);
  address.push({ ...address.read(), words: "y" });
  assert.equal(history.length, before + 1);
});

test("an empty query asks nothing", () => {
  assert.ok(address.isEmpty({ words: "  ", like: "", pictures: [] }));
  assert.ok(!address.isEmpty({ words: "", like: "1f", pictures: [] }));
});
