import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { answer, escaped } from "../src/ask_box/markdown";
import { messages, named } from "../src/ask_box/messages";
import { events, Unanswered } from "../src/ask_box/stream";
import { telling } from "../src/ask_box/telling";
import { begun, history, listed, type Source, type Turn } from "../src/ask_box/turns";
import type { Host } from "../src/gradio";
import type { Refusal } from "../src/server";
import { visit } from "./browser";

visit("/?tab=ask");
const link = (number: number): string => `rag-source-1-${number}`;
const shown = (text: string, numbers = [1, 2]): string => answer(text, [], numbers, link, "not verified");

test("nothing that the model writes is markup", () => {
  assert.equal(escaped("<img src=x>"), "&lt;img src\\=x&gt;");
  assert.equal(shown("![x](http://evil/a.png)"), "\\!\\[x\\]\\(http\\:\\/\\/evil\\/a\\.png\\)");
  assert.equal(shown("[click](javascript:alert(1))"), "\\[click\\]\\(javascript\\:alert\\(1\\)\\)");
  assert.equal(
    shown("www.evil.com a@b.c `x` ~~y~~ | $z$"),
    "www\\.evil\\.com a\\@b\\.c \\`x\\` \\~\\~y\\~\\~ \\| \\$z\\$",
  );
  assert.equal(shown("    four spaces"), "four spaces");
  assert.equal(shown("a\u202egpj"), "a\ufffdgpj");
  assert.equal(shown("\ue000a\ue001"), "a");
});

test("lists, headings, bold words and numbers of sources are", () => {
  assert.equal(shown("- one\n* two\n3) three"), "- one\n- two\n3. three");
  assert.equal(shown("## Ferry"), "**Ferry**");
  assert.equal(shown("at **8 a.m.** [2]"), "at **8 a\\.m\\.** [\\[2\\]](#rag-source-1-2)");
  assert.equal(shown("no such source [7]"), "no such source \\[7\\]");
  assert.deepEqual(named("#rag-source-3-12"), { turn: 3, number: 12 });
  assert.equal(named("#rag-source-x"), null);
});

test("sentences that nothing bears out are marked, wherever their numbers stand", () => {
  const claims = [
    { text: "It sails at 8.", sources: [1], verified: true },
    { text: "It is green.", sources: [2], verified: false },
    { text: "Not in the text.", sources: [], verified: false },
    { text: "- last", sources: [], verified: false },
  ];
  assert.equal(
    answer("It sails [1] at 8. It is  green [2].\n- last", claims, [1, 2], link, "not verified"),
    "It sails [\\[1\\]](#rag-source-1-1) at 8\\. " +
      "<mark>It is  green [\\[2\\]](#rag-source-1-2)\\.</mark> <small>not verified</small>\n" +
      "- <mark>last</mark> <small>not verified</small>",
  );
});

const SOURCE = { number: 1, id: "1f", path: "/a/b", folded: [{ id: "2f", path: "/c" }], quote: "q", rank: 1 };
const turn = (fields: Partial<Turn>): Turn => ({ ...begun(1, "when *is* it?"), ...fields });

test("the page says what became of a question", () => {
  const told = (fields: Partial<Turn>): string => messages([turn(fields)])[1]?.content ?? "";
  assert.deepEqual(messages([turn({})]), [
    { role: "user", content: "when \\*is\\* it?" },
    { role: "assistant", content: "_Looking through the files…_" },
  ]);
  assert.equal(told({ state: "writing", text: "At 8" }), "At 8");
  assert.equal(told({ state: "stopped", text: "At" }), "At\n\n_Stopped\\._");
  assert.equal(
    told({ state: "done", text: "The files do not tell. Ask Ann.", enough: false }),
    "**The files do not tell\\.** Ask Ann\\.",
  );
  assert.match(
    told({ state: "done", text: "Eight.", enough: false }),
    /<mark>No sentence of this answer names a source/,
  );
  assert.match(
    told({ state: "evidence" }),
    /No chat model is set.*`rag serve answerer`.*`answer_url`.*Nothing was found/s,
  );
  const failure = { what: "the *engine* died", remedy: "ask again", code: "x" };
  assert.equal(told({ state: "failed", text: "At", failure }), "At\n\n**the \\*engine\\* died**\n\nask again");
});

test("earlier turns that have an answer are told to the model, and no paths to Gradio", () => {
  const turns = [
    turn({ state: "done", text: "At 8." }),
    turn({ state: "evidence" }),
    turn({ state: "writing", text: "x" }),
  ];
  assert.deepEqual(history(turns), [{ question: "when *is* it?", answer: "At 8." }]);
  assert.deepEqual(listed(SOURCE as unknown as Source), {
    id: "1f",
    rank: 1,
    file: "/a/b",
    folded: [{ id: "2f", file: "/c" }],
  });
});

const fetched = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = fetched;
});

function answering(status: number, ...chunks: string[]): void {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
  globalThis.fetch = async () => new Response(body, { status });
}

async function read(): Promise<string[]> {
  const names: string[] = [];
  for await (const event of events({ question: "x" } as never, new AbortController().signal)) names.push(event.name);
  return names;
}

test("events are read however they are cut", async () => {
  answering(
    200,
    'event: sources\ndata: {"sou',
    'rces":[]}\n',
    '\nevent: piece\ndata: {"text":"a"}\n\nevent: answer\ndata: {}\n\n',
  );
  assert.deepEqual(await read(), ["sources", "piece", "answer"]);
});

test("an answer without its end, an error and a missing model are refusals", async () => {
  answering(200, 'event: piece\ndata: {"text":"a"}\n\n');
  await assert.rejects(read(), (error: Refusal) => error.code === "cut_off");
  answering(200, 'event: error\ndata: {"error":{"what":"died","remedy":"again","code":"b"}}\n\n');
  await assert.rejects(read(), (error: Refusal) => error.message === "died" && error.remedy === "again");
  answering(503, '{"error":{"what":"no","remedy":"set it","code":"no_chat_model"},"sources":[{"number":1}]}');
  await assert.rejects(read(), (error: Unanswered) => error instanceof Unanswered && error.sources.length === 1);
  globalThis.fetch = async () => Promise.reject(new TypeError("failed to fetch"));
  await assert.rejects(read(), (error: Refusal) => error.code === "down");
});

test("the newest messages reach the chat, also if an event is lost", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  (globalThis.window as unknown as { setTimeout: typeof setTimeout }).setTimeout = setTimeout;
  const props = { value: null as { number: number } | null, shown: 0 };
  let dispatched = 0;
  const told: boolean[] = [];
  const host = {
    props,
    set: (changed: object) => Object.assign(props, changed),
    dispatch: () => {
      dispatched += 1;
    },
  } as unknown as Host<never>;
  const chat = telling(host, new AbortController().signal, (is) => told.push(is));
  chat.tell([{ role: "user", content: "a" }]);
  chat.tell([{ role: "user", content: "ab" }]);
  context.mock.timers.tick(100);
  assert.deepEqual([dispatched, props.value?.number], [1, 2]); // one event for both
  context.mock.timers.tick(6000);
  assert.equal(dispatched, 2); // the first was lost
  props.shown = 1; // an answer to older messages
  chat.changed(new Set(["shown"]));
  context.mock.timers.tick(100);
  assert.equal(dispatched, 3);
  props.shown = 2;
  chat.changed(new Set(["shown"]));
  assert.equal(told.at(-1), true);
  context.mock.timers.tick(60000);
  assert.equal(dispatched, 3);
});
