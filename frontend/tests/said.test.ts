import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { said } from "../src/said";
import { speak } from "../src/words";

test("what the server says is in the language of the page", () => {
  assert.equal(said("is empty"), "is empty");
  speak("zh");
  assert.equal(said("is empty"), "是空文件");
  assert.equal(said("is named .jpg but contains text"), "扩展名为 .jpg，内容却是文字");
  assert.equal(
    said("no passage contains 'habour'; it was read as 'harbour'"),
    "没有内容包含 'habour'；已按 'harbour' 搜索",
  );
  assert.equal(said("something new"), "something new");
  speak("en");
});

test("the message with the most words of its own is taken, and what stands in it is translated too", () => {
  speak("zh");
  assert.equal(said("is damaged: its part word/document.xml is missing"), "已损坏：缺少部分 word/document.xml");
  assert.equal(said("is a damaged Word document: its main part is missing"), "Word 文档已损坏：缺少主要部分");
  assert.equal(said("is a damaged Word document: {1} $& <b>"), "Word 文档已损坏：{1} $& <b>");
  speak("en");
});
