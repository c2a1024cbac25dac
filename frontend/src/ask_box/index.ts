// The box where questions are asked: it reads the answer as it is written, and its value are the messages for the chat.
// Knows turns, the address and the route that answers; the chat itself is Gradio's.
import * as address from "../address";
import { notice } from "../controls";
import { nextDay } from "../days";
import { fill, h } from "../dom";
import { component } from "../gradio";
import { whenSaid } from "../said";
import { heldBy } from "../search_bar/counts";
import { filterRow } from "../search_bar/filters";
import { chosenOf } from "../search_bar/menus";
import { isAbort, Refusal } from "../server";
import type { Failure, IndexFacts } from "../types";
import { t } from "../words";
import { questionBox } from "./box";
import { type Message, messages, named } from "./messages";
import { sourceList } from "./sources";
import { type Asked, type Event, events, Unanswered } from "./stream";
import { telling } from "./telling";
import { begun, history, keep, kept, listed, type Source, type Turn } from "./turns";

interface Props {
  value: { number: number; messages: Message[] } | null;
  indexes: IndexFacts[] | null;
  shown: number | null; // the number of the last value that is in the chat
}

const FOCUS_TRIES = 60; // 50 milliseconds apart
const LONGEST_WORDS = 300; // characters of a quote that the viewer marks

export default component<Props>((root, host) => {
  let turns: Turn[] = [];
  let looked = 0; // the number of the turn whose sources are shown; 0: the last
  let chosen = ""; // the id that was given to the viewer last
  let running: AbortController | null = null;
  const leaving = new AbortController();
  const { signal } = leaving;

  const box = questionBox({ sent: ask, stopped: stop });
  const filters = filterRow((fields) => {
    address.replace({ ...address.read(), ...fields });
    showFilters();
  });
  const list = sourceList(open);
  const trouble = h("div", { class: "trouble-place" });
  const hero = h("div", { class: "ask-hero" }, h("h1", {}, t("ask_title")), h("p", { class: "dim" }, t("ask_hint")));
  const bar = h("div", { class: "ask-bar" }, trouble, box.element, filters.element);
  const view = h("div", { class: "asking" }, hero, list.element, bar);
  root.append(view);
  const chat = telling(host, signal, (told) => {
    view.dataset.told = String(told);
  });

  async function ask(question: string): Promise<void> {
    if (running) return;
    const turn = begun((turns.at(-1)?.number ?? 0) + 1, question);
    const asked = request(question);
    const place = { ...address.read(), tab: "ask", words: question, like: "", pictures: [], open: "" };
    if (turns.length) address.replace(place);
    else address.push(place);
    turns.push(turn);
    looked = 0;
    const controller = new AbortController();
    running = controller;
    show();
    try {
      for await (const event of events(asked, controller.signal)) {
        take(turn, event);
        show();
      }
    } catch (error) {
      refuse(turn, error);
    } finally {
      running = null;
      show();
      if (turns.includes(turn)) keep(turns);
    }
  }

  function request(question: string): Asked {
    const { indexes, kinds, paths, roots, after, before } = address.read();
    const days = { after: after || null, before: nextDay(before) || null };
    return { question, indexes, kinds, paths, roots, ...days, history: history(turns) };
  }

  function stop(): void {
    running?.abort();
  }

  /** Forgets the conversation. */
  function anew(): void {
    stop();
    turns = [];
    looked = 0;
    keep(turns);
    address.replace({ ...address.read(), words: "", open: "" });
    show();
    box.focus();
  }

  function refuse(turn: Turn, error: unknown): void {
    if (isAbort(error)) turn.state = "stopped";
    else if (error instanceof Unanswered) Object.assign(turn, { state: "evidence", sources: error.sources });
    else if (error instanceof Refusal) {
      const failure: Failure = { what: error.message, remedy: error.remedy, code: error.code };
      Object.assign(turn, { state: "failed", failure });
    } else {
      turn.state = "stopped";
      throw error;
    }
  }

  function show(): void {
    const last = turns.at(-1);
    view.classList.toggle("at-rest", !last);
    view.dataset.state = last?.state ?? "";
    box.running(running !== null);
    list.show(turns.find((turn) => turn.number === looked) ?? last);
    const again = (): void => {
      turns.pop();
      if (last) ask(last.question);
    };
    const retry = h("button", { type: "button", class: "plain", on: { click: again } }, t("again"));
    fill(
      trouble,
      last?.state === "failed" && last.failure ? notice(last.failure.what, last.failure.remedy, retry) : null,
    );
    document.documentElement.dataset.asked = String(turns.length); // the chat is hidden while there is nothing in it
    chat.tell(messages(turns));
  }

  function showFilters(): void {
    const indexes = host.props.indexes ?? [];
    filters.element.hidden = !indexes.some((one) => one.documents);
    const asked = address.read();
    filters.show(asked, heldBy(chosenOf(indexes, asked)), indexes, []);
  }

  function open(source: Source, turn: Turn): void {
    chosen = source.id;
    const words = (source.quote || turn.question).slice(0, LONGEST_WORDS);
    host.dispatch("select", {
      id: source.id,
      index: source.index,
      alike: false,
      words,
      hits: turn.sources.map(listed),
    });
  }

  /** Opens what the address names, if it is a source. */
  function reopen(): void {
    const place = address.read();
    if (!place.open) chosen = "";
    if (place.tab !== "ask" || !place.open || place.open === chosen) return;
    for (const turn of [...turns].reverse()) {
      const source = turn.sources.find((one) => one.id === place.open);
      if (!source) continue;
      open(source, turn);
      return;
    }
  }

  /** A number in the chat shows the card of its source. */
  function pointed(event: MouseEvent): void {
    const link = (event.target as Element).closest?.("a[href^='#rag-source-']");
    const which = link ? named(link.getAttribute("href") ?? "") : null;
    if (!which) return;
    event.preventDefault();
    event.stopPropagation();
    looked = which.turn === turns.at(-1)?.number ? 0 : which.turn;
    list.show(turns.find((turn) => turn.number === which.turn));
    list.point(which.number);
  }

  /** The tab was chosen: what was searched for is the question that may be meant. */
  function came(): void {
    const { tab, words } = address.read();
    if (tab !== "ask") return;
    showFilters();
    if (words.trim() && words !== turns.at(-1)?.question) box.suggest(words);
    if (!matchMedia("(pointer: coarse)").matches) focus();
  }

  /** Focuses the box as soon as its tab is seen, unless a person goes elsewhere meanwhile. */
  function focus(tries = FOCUS_TRIES): void {
    const before = document.activeElement;
    if (signal.aborted || address.read().tab !== "ask" || box.focus() || !tries) return;
    setTimeout(() => document.activeElement === before && focus(tries - 1), 50);
  }

  const inTab = (): boolean => address.read().tab === "ask" && !document.querySelector("dialog[open]");
  document.addEventListener("click", pointed, { signal, capture: true });
  document.addEventListener("rag:askbox", () => box.focus(), { signal });
  document.addEventListener("rag:tab", came, { signal });
  document.addEventListener(
    "rag:closed",
    (event) => {
      chosen = "";
      if (address.read().tab === "ask" && !list.focus((event as CustomEvent<string>).detail)) box.focus();
    },
    { signal },
  );
  document.addEventListener("keydown", (event) => event.key === "Escape" && inTab() && stop(), { signal });
  addEventListener("popstate", reopen, { signal });
  addEventListener("pagehide", () => keep(turns), { signal });
  begin();

  /** The conversation of this tab of the browser, or the question of the address, which is asked if it was opened as a link. */
  function begin(): void {
    const { words, tab } = address.read();
    const before = kept();
    const { dataset } = document.documentElement;
    const isLinked = dataset.entry === "ask"; // else a person came from another tab, and asks when they want
    dataset.entry = "";
    const isAsked = isLinked && tab === "ask" && words.trim() !== "" && before.at(-1)?.question !== words.trim();
    if (!isAsked) turns = before;
    showFilters();
    if (isAsked) ask(words.trim());
    else {
      show();
      came();
      reopen();
    }
  }

  whenSaid(show);
  return {
    changed(names) {
      if (names.has("indexes")) showFilters();
      if (names.has("value") && host.props.value === null && turns.length) anew();
      chat.changed(names);
    },
    removed() {
      stop();
      leaving.abort();
      filters.removed();
    },
  };
});

function take(turn: Turn, event: Event): void {
  if (event.name === "sources") Object.assign(turn, { state: "writing", sources: event.data.sources });
  else if (event.name === "piece") turn.text += event.data.text;
  else if (event.name === "answer") {
    const { answer, claims, sources, enough, notes } = event.data;
    Object.assign(turn, { state: "done", text: answer, claims, sources, enough, notes });
  }
}
