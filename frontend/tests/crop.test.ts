import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { moved, type Part } from "../src/crop";

const part: Part = { x: 0.25, y: 0.25, width: 0.5, height: 0.5 };
const rounded = (one: Part): number[] => [one.x, one.y, one.width, one.height].map((n) => Math.round(n * 100) / 100);

test("arrow keys move a part and change its size, inside the picture", () => {
  assert.deepEqual(rounded(moved(part, "ArrowLeft", false)), [0.23, 0.25, 0.5, 0.5]);
  assert.deepEqual(rounded(moved(part, "ArrowDown", true)), [0.25, 0.25, 0.5, 0.52]);
  assert.deepEqual(rounded(moved({ ...part, x: 0.5 }, "ArrowRight", false)), [0.5, 0.25, 0.5, 0.5]);
  assert.deepEqual(rounded(moved({ ...part, width: 0.05 }, "ArrowLeft", true)), [0.25, 0.25, 0.05, 0.5]);
  assert.deepEqual(rounded(moved(part, "a", false)), rounded(part));
});
