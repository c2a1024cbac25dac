// The search bar: the box, the filters, and before the first search the title. Its value is the query; the address says the same.
// Knows the query and its address; searches nothing.
import * as address from "../address";
import { notice } from "../controls";
import { dayBefore, nextDay } from "../days";
import { fill, h } from "../dom";
import { component, type Host } from "../gradio";
import { keep, keepAll, kept } from "../pictures";
import { count } from "../places";
import { media, Refusal } from "../server";
import type { Counts, IndexFacts, Query } from "../types";
import { t, type Word } from "../words";
import { searchBox } from "./box";
import { heldBy } from "./counts";
import { filterRow } from "./filters";
import { firstSteps } from "./first_steps";
import { chosenOf } from "./menus";
import { addressOf, remembered } from "./remembered";
import { unwanted } from "./unwanted";

interface Props {
  value: Query | null;
  indexes: IndexFacts[] | null; // what can be searched; null until it is known
  manage: boolean; // whether the visitor may choose folders and upload
  facets: { number: number; counts: Counts; dated: boolean } | null; // of the last answer, and of which query
}

export default component<Props>((root, host) => {
  let asked = address.read();
  let number = 0;
  let showing = 0; // the timer after which the query is shown
  let typing = false; // the last step of the history came from typing: further letters change it
  let unfiltered: { of: string; counts: Counts } = { of: "", counts: {} }; // counts without filters by kind and folder
  const leaving = new AbortController();

  const box = searchBox({
    typed: (words) => change({ words }, true),
    entered: (words) => {
      change({ words });
      memory.note(asked);
      host.dispatch("submit");
    },
    pictured: (pictures) => change({ pictures: keepAll(pictures, asked.pictures), like: "" }),
    refused: (error) => refuse(error),
    down: () => document.dispatchEvent(new CustomEvent("rag:results")),
    starred: () => {
      memory.toggle(asked);
      showStar();
    },
  });
  const less = unwanted((id) => change({ less: asked.less.filter((one) => one !== id) }));
  const filters = filterRow((fields) => change(fields));
  const memory = remembered((place) => change(place));
  const trouble = h("div", { class: "trouble-place" });
  const holds = h("div", { class: "hero-holds" });
  const first = firstSteps((index, folder) => host.dispatch("start", { index, folder }));
  const hero = h("div", { class: "hero" }, h("h1", {}, t("title")), holds);
  const bar = h("div", { class: "bar" }, box.element, filters.element, trouble, memory.element);
  const view = h("div", { class: "search-bar" }, hero, bar);
  root.append(view);

  function change(fields: Partial<address.Place>, typed = false): void {
    const isElsewhere = address.read().tab !== ""; // a picture was pasted or dropped in another tab
    const fresh = { ...asked, tab: "", open: "", ...fields };
    if (address.isEmpty(fresh)) fresh.less = [];
    if (typed && typing) address.replace(fresh);
    else if (address.written(fresh) !== address.written(asked)) address.push(fresh);
    typing = typed && !address.isEmpty(fresh);
    asked = fresh;
    if (isElsewhere) document.dispatchEvent(new CustomEvent("rag:search"));
    ask();
  }

  /** Triggers the search, and shows the query once that is on its way. */
  function ask(): void {
    fill(trouble);
    const pictures = asked.pictures.filter((name) => kept(name) !== null);
    if (pictures.length < asked.pictures.length) {
      refuse(new Refusal(t("error_gone"), t("error_gone_more"), "gone"));
      asked = { ...asked, pictures };
      address.replace(asked);
    }
    number += 1;
    host.set({ value: value() });
    host.dispatch("change");
    document.dispatchEvent(new CustomEvent("rag:asked"));
    clearTimeout(showing);
    showing = window.setTimeout(show);
  }

  function value(): Query {
    const { open: _open, tab: _tab, ...query } = asked;
    return {
      ...query,
      pictures: shownPictures(),
      before: nextDay(asked.before),
      number,
    };
  }

  function shownPictures(): string[] {
    return asked.pictures.map(kept).filter((one) => one !== null);
  }

  function show(): void {
    const atRest = address.isEmpty(asked);
    const like = asked.like ? media(asked.like, asked.indexes[0] ?? "", "thumb") : null;
    box.show(asked.words, shownPictures(), like, less.shown(asked.less, asked.indexes[0] ?? ""));
    view.classList.toggle("at-rest", atRest);
    memory.show();
    showStar();
    document.title = asked.words.trim() ? t("page_title", { q: asked.words.trim() }) : t("title");
    showFilters();
  }

  function showStar(): void {
    box.star(addressOf(asked) ? memory.isSaved(asked) : null);
  }

  function showFilters(): void {
    const indexes = host.props.indexes ?? [];
    const documents = indexes.reduce((sum, one) => sum + one.documents, 0);
    filters.element.hidden = !documents;
    hero.classList.toggle("is-first", !documents && indexes.length > 0);
    if (documents) fill(holds, holding(indexes));
    else if (indexes[0]) first.show(holds, indexes[0], host.props.manage);
    const { facets } = host.props;
    if (!address.isEmpty(asked) && facets && facets.number >= number - 1) {
      const orders: [string, Word][] = [["", "sort_best"], ...dated(facets.dated), ["name", "sort_name"]];
      filters.show(asked, counted(facets.counts), indexes, orders);
      return;
    }
    const counts = heldBy(chosenOf(indexes, asked));
    filters.show(asked, address.isEmpty(asked) ? counts : unfiltered.counts, indexes, []);
  }

  /** The counts for the chips: of what each would add, known from the query without these filters. */
  function counted(counts: Counts): Counts {
    const of = address.written({ ...asked, kinds: [], paths: [], open: "", sort: "" });
    if (!asked.kinds.length && !asked.paths.length) unfiltered = { of, counts };
    if (unfiltered.of !== of) return counts;
    const kinds = asked.kinds.length ? { ...unfiltered.counts.kinds, ...counts.kinds } : counts.kinds;
    return { ...counts, kinds, folders: asked.paths.length ? unfiltered.counts.folders : counts.folders } as Counts;
  }

  function refuse(error: unknown): void {
    if (error instanceof Refusal) fill(trouble, notice(error.message, error.remedy));
    else throw error;
  }

  /** Shows what the address says, after back or forward and on return from the tab where questions are asked. */
  function navigate(): void {
    if (address.read().tab === "ask") return; // the address is a question; it is searched for if the person comes back
    const before = asked;
    asked = address.read();
    typing = false;
    const query = (place: address.Place): string => address.written({ ...place, open: "", tab: "" });
    if (query(before) !== query(asked)) ask();
  }

  addEventListener("popstate", navigate, { signal: leaving.signal });
  document.addEventListener("rag:tab", navigate, { signal: leaving.signal });
  document.addEventListener(
    "rag:picture",
    (event) => change({ pictures: [keep((event as CustomEvent<string>).detail)], like: "", words: "" }),
    { signal: leaving.signal },
  );
  document.addEventListener("rag:chosen", () => memory.note(asked), { signal: leaving.signal });
  document.addEventListener("rag:box", () => box.focus(), { signal: leaving.signal });
  if (asked.tab === "ask") asked = { ...asked, words: "", pictures: [], like: "" };
  show();
  if (!address.isEmpty(asked)) queueMicrotask(ask);

  return {
    changed(names) {
      if (names.has("value") && given(host)) {
        const { number: _number, pictures, ...query } = host.props.value as Query;
        change({ ...query, pictures: keepAll(pictures ?? [], asked.pictures), before: dayBefore(query.before) });
      } else if (names.has("indexes") || names.has("facets") || names.has("manage")) showFilters();
      if (names.has("indexes") && host.props.indexes) begin();
    },
    removed() {
      leaving.abort();
      clearTimeout(showing);
      box.removed();
      less.removed();
      filters.removed();
    },
  };

  /** Says once that the page is ready, and takes the focus, so that a person can write at once. */
  function begin(): void {
    if (document.documentElement.dataset.ready) return;
    isReady(); // until then the page is a sketch, and nothing in it can have the focus
    const isFree = document.activeElement === document.body && !asked.tab && address.isEmpty(asked);
    if (isFree && !matchMedia("(pointer: coarse)").matches) box.focus();
  }

  /** Whether Gradio gave another query than the one shown. */
  function given({ props }: Host<Props>): boolean {
    return (
      props.value !== null &&
      JSON.stringify({ ...props.value, number: 0 }) !== JSON.stringify({ ...value(), number: 0 })
    );
  }
});

/** Tells the page, which showed a sketch of itself until now, and tests. */
function isReady(): void {
  document.documentElement.dataset.ready = "true";
  document.dispatchEvent(new CustomEvent("rag:ready"));
  performance.mark("rag:ready");
}

const dated = (known: boolean): [string, Word][] => (known ? [["new", "sort_new"]] : []);

function holding(indexes: IndexFacts[]): string {
  const sum = (of: "documents" | "passages"): string => count(indexes.reduce((all, one) => all + one[of], 0));
  return t("holds", { documents: sum("documents"), passages: sum("passages") });
}
