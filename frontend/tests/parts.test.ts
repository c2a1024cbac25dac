import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { commandFor } from "../src/command";
import { readers, slowest } from "../src/index_panel/progress";
import { sizeOf } from "../src/pictures";
import { folderOfPattern, patternOf } from "../src/search_bar/menus";
import type { Listed } from "../src/types";
import { momentsOf } from "../src/viewer/moments";
import { direction } from "../src/viewer/swipes";

test("a folder and its pattern are the same both ways, whatever its name holds", () => {
  for (const name of ["photos", "a*b", "what?", "[draft]"]) assert.equal(folderOfPattern(patternOf(name)), name);
  assert.equal(patternOf("a*b"), "/a[*]b/**");
});

test("the command that makes an index quotes its path for a shell", () => {
  assert.equal(commandFor("/home/a/indexes/default"), "rag index ./corpus");
  assert.equal(commandFor("/data/my index"), "rag index ./corpus --index '/data/my index'");
  assert.equal(commandFor("/data/it's"), "rag index ./corpus --index '/data/it'\\''s'");
});

test("a stage is named as the bottleneck only if it clearly is", () => {
  assert.equal(slowest({ read: 0.05, embed: 0.6, write: 0.9 }), "held back by reading");
  assert.equal(slowest({ read: 0.5, embed: 0.6, write: 0.55 }), "");
  assert.equal(slowest({}), "");
  assert.equal(readers({ a: 2, b: 1 }), "3 readers on 2 machines");
  assert.equal(readers({ a: 2 }), "");
});

test("the size of a picture is read from its header", async () => {
  const png = new Uint8Array(30);
  png.set([0x89, 0x50, 0x4e, 0x47], 0);
  new DataView(png.buffer).setUint32(16, 20000);
  new DataView(png.buffer).setUint32(20, 30000);
  const jpeg = new Uint8Array(24);
  jpeg.set([0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, 2, 0, 3, 0], 0);
  assert.deepEqual(await sizeOf(new Blob([png])), [20000, 30000]);
  assert.deepEqual(await sizeOf(new Blob([jpeg])), [768, 512]);
  assert.deepEqual(await sizeOf(new Blob(["no picture"])), [0, 0]);
});

test("swipes are straight and long", () => {
  assert.equal(direction(-90, 10), "left");
  assert.equal(direction(90, -20), "right");
  assert.equal(direction(5, 120), "down");
  assert.equal(direction(70, 60), "");
  assert.equal(direction(20, 5), "");
  assert.equal(direction(0, -200), "");
});

test("the moments of a video are its hits, each once, in order", () => {
  const member = (start: number) => ({ id: String(start), locator: { start, end: start + 5 }, score: 1 });
  const hit = { members: [member(30), member(10)] } as Listed;
  const moments = momentsOf({ locator: { start: 10, end: 15 } }, hit, [hit, { members: [member(20)] } as Listed]);
  assert.deepEqual(
    moments.map((one) => [one.start, one.isOwn]),
    [
      [10, true],
      [20, false],
      [30, true],
    ],
  );
});
