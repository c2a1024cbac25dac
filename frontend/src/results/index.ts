// The results: one list of cards over all kinds. Its value is what was found; it says which one is chosen and when more are wanted.
// Knows hits and their order; searches nothing.
import * as address from "../address";
import { notice } from "../controls";
import { fill, h } from "../dom";
import { component } from "../gradio";
import { icon } from "../icons";
import { count } from "../places";
import { said, whenSaid } from "../said";
import type { Answer, Found, Hit } from "../types";
import { t } from "../words";
import { grid } from "./grid";
import { lostServer } from "./lost";
import { matchesOf } from "./matches";
import { inPlace, listed, sameOrder } from "./order";
import { previewOf } from "./preview";
import { selectionOf } from "./selection";

interface Props {
  value: Found | null;
  previews?: boolean; // whether a viewer stands beside the list
}

const MARGIN = "600px"; // before the end of the list comes into view, more hits are requested

export default component<Props>((root, host) => {
  let shown: Answer | null = null; // the answer whose hits are on the page
  let number = -1; // of the query that the hits answer
  let settled = -1; // of the last query whose reranked order is here: it may come before the first order
  let asking = false; // more hits were requested
  let told: () => void = () => {}; // says again what the line above the list says
  let chosen = ""; // the id that was given to the viewer last
  const leaving = new AbortController();
  const picked = selectionOf(
    () => {
      const query = host.props.value?.query;
      return query && !query.like && !hasPicture() ? query.words.trim() : "";
    },
    () => cards.unpick(),
  );
  const matches = matchesOf();
  const preview = previewOf(host, (id) => cards.mark(id), leaving.signal);
  const cards = grid(hrefOf, { open, select: preview.select, isPreviewed: preview.isOn }, toBox, picked, matches.drawn);
  const summary = h("p", { class: "told", role: "status", "aria-live": "polite" });
  const better = h("button", { type: "button", class: "better", hidden: true });
  const trouble = h("div", { class: "trouble-place" });
  const end = h("div", { class: "end" });
  const list = h(
    "section",
    { class: "results", id: "results", tabindex: "-1", "aria-label": t("results") },
    h("div", { class: "told-row" }, summary, preview.element),
    trouble,
    cards.element,
    end,
  );
  const view = h("div", { class: "search at-rest" }, better, list, picked.element);
  root.append(view);
  const server = lostServer(view, trouble, host, leaving.signal);
  const watch = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && more(), {
    rootMargin: MARGIN,
  });
  watch.observe(end);

  function show(): void {
    // A copy: Gradio writes the later answer of a query into the object of the earlier one, which is still on the page.
    const found = JSON.parse(JSON.stringify(host.props.value ?? null)) as typeof host.props.value;
    if (found && found.query.number < number) return; // an answer to an older query
    if (found && !found.settled && found.query.number === settled) return;
    if (found?.settled) settled = found.query.number;
    const isNew = (found?.query.number ?? -1) !== number;
    number = found?.query.number ?? number;
    const isMore = asking;
    asking = false;
    fill(trouble);
    if (found?.failure) refuse(found);
    else if (found?.answer) present(found, found.answer, isNew, isMore);
    else clear();
  }

  function present(found: Found, answer: Answer, isNew: boolean, isMore: boolean): void {
    view.classList.remove("at-rest");
    if (isNew) {
      matches.wait();
      cards.rest();
      picked.clear();
    }
    if (isNew || !shown) paint(found, answer);
    else if (isMore) grow(answer);
    else settle(found, answer);
    if (isNew || found.settled) reopen();
  }

  /** Shows an answer at once. */
  function paint(found: Found, answer: Answer): void {
    better.hidden = true;
    const focused = cards.focused();
    shown = answer;
    draw(found, answer);
    if (found.settled) {
      matches.lookFor(found.query.words);
      preview.offer(answer.hits);
    }
    tell(answer, found.settled ? (answer.reranked ? t("ranked") : "") : t("ranking"));
    if (focused) cards.focus(focused);
    const mark = found.settled ? "rag:settled" : "rag:painted";
    requestAnimationFrame(() => setTimeout(() => performance.mark(mark))); // after the frame that shows it
  }

  /** Shows the reranked order: at once if nobody points at a card or reads one, else behind a button. */
  function settle(found: Found, answer: Answer): void {
    view.dataset.settled = String(found.settled);
    const moved = !sameOrder(answer.hits, shown?.hits ?? []);
    if (!moved || !(cards.held() || document.querySelector("dialog[open]"))) {
      paint(found, answer);
      return;
    }
    shown = { ...answer, hits: inPlace(shown?.hits ?? [], answer.hits) };
    tell(answer, t("first_order"));
    matches.lookFor(found.query.words);
    preview.offer(shown.hits);
    better.onclick = () => {
      cards.rest();
      paint(found, answer);
      scrollTo({ top: 0 });
    };
    fill(better, icon("sort"), t("better_order"), h("strong", {}, t("show_it")));
    better.hidden = false;
    performance.mark("rag:settled");
  }

  /** Adds hits below those on the page; nothing above moves. */
  function grow(answer: Answer): void {
    const known = new Set(shown?.hits.map((hit) => hit.id));
    const fresh = answer.hits.filter((hit) => !known.has(hit.id));
    shown = { ...answer, hits: [...(shown?.hits ?? []), ...fresh] };
    cards.append(fresh);
    finish(shown);
    tell(shown, answer.reranked ? t("ranked") : "");
  }

  function draw(found: Found, answer: Answer): void {
    view.dataset.words = found.query.words;
    view.dataset.settled = String(found.settled);
    const { hits } = answer;
    const weak = hits.length && !answer.good;
    const line = weak
      ? h(
          "div",
          { class: "weak-line", role: "note" },
          h("strong", {}, t("nothing_good")),
          h("span", {}, t("nothing_good_more")),
        )
      : null;
    const { total } = answer;
    const put = found.settled ? cards.show : cards.begin;
    put(hits, total ? (total.exact ? total.results : -1) : hits.length, line);
    finish(answer);
    if (!hits.length) cards.element.append(nothing(found));
  }

  /** What stands below the list: that more will follow, or that this is all. */
  function finish(answer: Answer): void {
    const words = answer.next ? t("more") : t("no_more");
    fill(end, answer.hits.length ? h("span", { class: "dim" }, words) : null);
  }

  function nothing(found: Found): HTMLElement {
    const { kinds, paths, roots, after, before } = found.query;
    const isFiltered = Boolean(kinds.length || paths.length || roots.length || after || before);
    const clearFilters = h(
      "button",
      { type: "button", class: "plain", on: { click: () => host.dispatch("clear") } },
      t("no_filters"),
    );
    const why = isFiltered ? h("p", {}, t("nothing_filters"), clearFilters) : h("p", {}, t("nothing_hint"));
    return h("div", { class: "empty" }, h("strong", {}, t("nothing")), why);
  }

  function tell(answer: Answer, order: string): void {
    told = () => tell(answer, order);
    if (!answer.hits.length) {
      summary.textContent = answer.notes.map(said).join(" · ");
      return;
    }
    const { total, seconds } = answer;
    const parts = [
      t("found", { n: total ? `${count(total.results)}${total.exact ? "" : "+"}` : count(answer.hits.length) }),
      seconds.total === undefined ? "" : t("took", { s: seconds.total.toFixed(2) }),
      order,
      ...answer.notes.map(said),
    ];
    summary.textContent = parts.filter(Boolean).join(" · ");
  }

  function more(): void {
    const found = host.props.value;
    if (!found || settled !== number || !shown || asking || host.pending() || !shown.next) return;
    asking = true;
    host.dispatch("more", { cursor: shown.next });
  }

  function refuse({ failure, answer }: Found): void {
    view.classList.remove("at-rest");
    if (!failure) return;
    summary.textContent = "";
    const again = h(
      "button",
      { type: "button", class: "plain", on: { click: () => host.dispatch("retry") } },
      t("again"),
    );
    fill(trouble, notice(failure.what, failure.remedy, again));
    if (answer || !shown) return;
    shown = null;
    cards.show([], 0);
    fill(end);
  }

  function clear(): void {
    shown = null;
    picked.clear();
    better.hidden = true;
    cards.show([], 0);
    preview.clear();
    fill(end);
    summary.textContent = "";
    view.classList.add("at-rest");
  }

  function open(hit: Hit, { alike } = { alike: false }): void {
    choose(hit.id, hit.index, alike);
  }

  function choose(id: string, index: string, alike: boolean): void {
    chosen = id;
    document.dispatchEvent(new CustomEvent("rag:chosen"));
    const found = host.props.value;
    const hits = (shown?.hits ?? []).map(listed);
    host.dispatch("select", { id, index, alike, words: found?.query.words ?? "", hits });
  }

  /** Opens what the address names. */
  function reopen(): void {
    const { open: id } = address.read();
    if (!id) chosen = "";
    if (!id || !shown || id === chosen) return;
    const own = shown.hits.find((one) => one.id === id || one.members.some((member) => member.id === id));
    choose(own ? own.id : id, own?.index ?? shown.index, false);
  }

  function showPending(): void {
    const pending = host.pending() && !asking;
    if (pending && view.classList.contains("at-rest") && address.isEmpty(address.read())) return;
    view.classList.toggle("is-searching", pending);
    if (pending && !shown) {
      view.classList.remove("at-rest");
      summary.textContent = t("searching");
    }
  }

  addEventListener("popstate", () => reopen(), { signal: leaving.signal });
  document.addEventListener("rag:asked", () => server.doubt(() => number), { signal: leaving.signal });
  document.addEventListener("rag:results", () => cards.focus(), { signal: leaving.signal });
  document.addEventListener("rag:closed", (event) => focusAgain((event as CustomEvent<string>).detail), {
    signal: leaving.signal,
  });
  const focusAgain = (id: string): void => {
    chosen = "";
    if (!cards.focus(id)) toBox();
  };
  /** The full view of the hit beside the list. */
  const openShown = (event: Event): void => {
    const { detail } = event as CustomEvent<{ id: string; index: string } | null>;
    if (detail) choose(detail.id, detail.index, false);
  };
  document.addEventListener("rag:open", openShown, { signal: leaving.signal });
  show();
  whenSaid(() => shown && told());
  return {
    changed(names) {
      if (names.has("value")) show();
      if (host.isLost()) server.lost();
      else showPending();
    },
    removed() {
      leaving.abort();
      watch.disconnect();
      matches.removed();
      cards.removed();
    },
  };
});

/** Whether pictures are asked with: the answer does not carry them. */
const hasPicture = (): boolean => address.read().pictures.length > 0;

const toBox = (): boolean => document.dispatchEvent(new CustomEvent("rag:box"));

/** The address of a hit opened over the present query. */
const hrefOf = (hit: Hit): string => address.written({ ...address.read(), open: hit.id, tab: "" });
