import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, clock, count, day, folderOf, nameOf, place, plain, span } from "../src/places";

test("seconds as a clock", () => {
  assert.deepEqual([0, 59.9, 135, 3735].map(clock), ["00:00", "00:59", "02:15", "1:02:15"]);
});

test("places as people say them", () => {
  assert.equal(place({ page: 12 }), "p. 12");
  assert.equal(place({ start: 135, end: 165 }), "02:15–02:45");
  assert.equal(place({ line_start: 4, line_end: 4 }), "line 4");
  assert.equal(place({ line_start: 4, line_end: 9 }), "lines 4–9");
  assert.equal(place({ inner: "papers/report.pdf", page: 2 }), "papers › report.pdf p. 2");
  assert.equal(place({}), "");
});

test("characters that would reverse or hide letters of a name become a visible sign", () => {
  assert.equal(plain("photo\u202egpj.exe"), "photo\ufffdgpj.exe");
  assert.equal(nameOf("a/b\u0007.txt"), "b\ufffd.txt");
  assert.equal(folderOf("a/b/c.txt"), "a/b");
});

test("sizes, counts, durations and days", () => {
  assert.deepEqual([0, 1023, 2400, 5 * 2 ** 30].map(bytes), ["0 B", "1023 B", "2.3 KiB", "5.0 GiB"]);
  assert.equal(count(12345), "12,345");
  assert.deepEqual([0.2, 89, 600, 9000].map(span), ["1 s", "89 s", "10 min", "2.5 h"]);
  assert.equal(day("not a date"), "");
});
