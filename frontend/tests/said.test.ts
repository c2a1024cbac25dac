import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import chinese from "../../ui/static/messages-zh.json";
import { said, translator } from "../src/said";

test("an English page says what the server says", () => assert.equal(said("is empty"), "is empty"));

test("a Chinese page translates it, and leaves what it does not know", () => {
  const zh = translator(chinese);
  assert.equal(zh("is empty"), "是空文件");
  assert.equal(zh("is named .jpg but contains text"), "扩展名为 .jpg，内容却是文字");
  assert.equal(
    zh("no passage contains 'habour'; it was read as 'harbour'"),
    "没有内容包含 'habour'；已按 'harbour' 搜索",
  );
  assert.equal(zh("something new"), "something new");
});

test("the message with the most words of its own is taken, and what stands in it is translated too", () => {
  const zh = translator(chinese);
  assert.equal(zh("is damaged: its part word/document.xml is missing"), "已损坏：缺少部分 word/document.xml");
  assert.equal(zh("is a damaged Word document: its main part is missing"), "Word 文档已损坏：缺少主要部分");
  assert.equal(zh("is a damaged Word document: {1} $& <b>"), "Word 文档已损坏：{1} $& <b>");
});
