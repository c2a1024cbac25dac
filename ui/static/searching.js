// The search tab: searches twice (candidates at once, then the reranked order) and shows both. Knows the query and the answer; draws no card.
import * as address from "./address.js";
import * as server from "./asking.js";
import { searchBox } from "./box.js";
import { fill, h, icon } from "./dom.js";
import { chosenOf, filterRow, filtered } from "./filters.js";
import { grid } from "./grid.js";
import { commandFor } from "./indexing.js";
import { kept } from "./pictures.js";
import { KINDS, count, nameOf } from "./places.js";
import { viewer } from "./viewer.js";
import { t } from "./words.js";

const STEP = 24; // hits per request; more are requested at the end of the list
const MOST = 200; // hits; the server's limit

/** Draws the search tab into `host`. Returns what the shell calls: `navigate` after the address changed, `focus` for the `/` key. */
export function searchTab(host, named) {
  let asked = address.read();
  let answer = null; // the answer whose hits are on the page
  let running = null; // AbortController of the running search
  let typing = false; // the last step of the history came from typing: further letters change it
  let wanted = 0; // top_k of the last request
  let facets = { of: "", counts: {} }; // counts without the filters by kind and folder, and the query they belong to

  const box = searchBox({
    typed: (text) => change({ text }, { typed: true }),
    asked: (text) => (change({ text }), text.trim() && !cards.size() && box.input.select()),
    pictured: (picture) => change({ picture, like: "" }),
    refused: (error) => refuse(error),
    down: () => cards.focus(),
  });
  const filters = filterRow((fields) => change(fields));
  const cards = grid((hit, how) => open(hit, how));
  const summary = h("p", { class: "told", role: "status", "aria-live": "polite" });
  const better = h("button", { type: "button", class: "better", hidden: true });
  const trouble = h("div", { class: "trouble-place", role: "alert" });
  const end = h("div", { class: "end" });
  const hero = h("div", { class: "hero" }, h("h1", {}, t("title")), h("div", { class: "hero-holds" }));
  const results = h("section", { class: "results", id: "results", tabindex: "-1", "aria-label": t("results") }, summary, trouble, cards.element, end);
  const view = h("div", { class: "search" }, hero, h("div", { class: "bar" }, box.element, filters.element), better, results);
  const looking = viewer({ hits: () => answer?.hits || [], words: () => asked.text, index: () => answer?.index || asked.indexes[0] || "", alike: (id, index) => change({ like: id, indexes: within(index), picture: "", text: "", open: "" }), closed, turned });
  fill(host, view);
  cards.element.addEventListener("leave", () => box.input.focus());
  new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && more(), { rootMargin: "600px" }).observe(end);

  function change(fields, { typed = false } = {}) {
    const fresh = { ...asked, ...fields };
    if (!("open" in fields)) fresh.open = "";
    if (typed && typing) address.replace(fresh);
    else if (address.written(fresh) !== address.written(asked)) address.push(fresh);
    typing = typed && !address.isEmpty(fresh);
    const same = "sort" in fields && Object.keys(fields).length === 1 && answer;
    asked = fresh;
    if (same) return draw(answer), filters.show(asked, counted(answer.counts), named().indexes, orders());
    return run();
  }

  /** The request for the present query. */
  function request(more) {
    return {
      text: asked.text, image: asked.picture ? kept(asked.picture) : null, like: asked.like || null, indexes: asked.indexes, kinds: asked.kinds, paths: asked.paths,
      roots: asked.roots, after: asked.after || null, before: asked.before ? nextDay(asked.before) : null, top_k: wanted, explain: true, fold: true, ...more,
    };
  }

  async function run() {
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    wanted = STEP;
    cards.rest();
    fill(trouble);
    better.hidden = true;
    box.show(asked, asked.like && server.media(asked.like, asked.indexes[0], "thumb"));
    view.classList.toggle("at-rest", address.isEmpty(asked));
    document.title = asked.text.trim() ? t("page_title", { q: asked.text.trim() }) : t("title");
    if (address.isEmpty(asked)) return rest();
    if (asked.picture && !kept(asked.picture)) return refuse(new server.Refusal(t("error_gone"), t("error_gone_more"), "gone"));
    view.classList.add("is-searching");
    summary.textContent = t("searching");
    const before = answer;
    try {
      paint(await server.search(request({ rerank: false, ocr: false }), signal));
      if (asked.open) reopen();
      settle(await server.search(request({ rerank: true }), signal));
    } catch (error) {
      if (error.name !== "AbortError") refuse(error, answer !== before); // the first order stays, even if the second fails
    } finally {
      if (running?.signal === signal) view.classList.remove("is-searching");
    }
  }

  function rest() {
    answer = null;
    cards.show([]);
    fill(end);
    summary.textContent = "";
    looking.close();
    view.classList.remove("is-searching");
    const { indexes, documents, passages } = named();
    const chosen = chosenOf(indexes, asked);
    const holds = hero.querySelector(".hero-holds");
    if (documents) holds.textContent = t("holds", { documents: count(documents), passages: count(passages) });
    else if (named().first) fill(holds, t("empty_title"), ". ", t("empty_hint"), h("br"), h("pre", {}, commandFor(named().first)));
    filters.show(asked, { kinds: { ...NONE, ...together(chosen, "kinds") }, folders: together(chosen, "folders") }, indexes, []);
    filters.element.hidden = !documents;
  }

  function paint(found) {
    answer = found;
    filters.element.hidden = false;
    draw(found);
    tell(found, t("ranking"));
    requestAnimationFrame(() => setTimeout(() => performance.mark("rag:painted"))); // after the frame that shows it
  }

  /** Shows the reranked order: at once if nobody points at a card or reads one, else behind a button. */
  function settle(found) {
    const moved = found.hits.some((hit, at) => hit.id !== answer.hits[at]?.id) || found.hits.length !== answer.hits.length;
    const apply = () => {
      better.hidden = true;
      const focused = cards.element.contains(document.activeElement) && document.activeElement.closest(".card")?.dataset.id;
      answer = found;
      draw(found);
      tell(found, found.reranked ? t("ranked") : "");
      if (focused) cards.focus(focused);
      performance.mark("rag:settled");
    };
    if (!moved || !(cards.held() || looking.isOpen())) return apply();
    answer = { ...found, hits: inPlace(answer.hits, found.hits) };
    tell(found, t("first_order"));
    better.onclick = () => (cards.rest(), apply(), scrollTo({ top: 0 }));
    fill(better, icon("sort"), t("better_order"), h("strong", {}, t("show_it")));
    better.hidden = false;
    performance.mark("rag:settled");
    return null;
  }

  function draw(found) {
    const hits = ordered(found.hits, asked.sort);
    const line = !found.good && hits.length ? h("div", { class: "weak-line", role: "note" }, h("strong", {}, t("nothing_good")), h("span", {}, t("nothing_good_more"))) : null;
    cards.show(hits, { below: 0, line });
    filters.show(asked, counted(found.counts), named().indexes, orders());
    fill(end, hits.length >= wanted && wanted < MOST ? h("span", { class: "dim" }, t("more")) : null);
    if (hits.length) return;
    const why = filtered(asked) ? [t("nothing_filters"), h("button", { type: "button", class: "plain", on: { click: () => change({ kinds: [], paths: [], roots: [], after: "", before: "" }) } }, t("no_filters"))] : [t("nothing_hint")];
    cards.element.append(h("div", { class: "empty" }, h("strong", {}, t("nothing")), h("p", {}, why)));
  }

  /** The counts for the chips: of what each would add, known from the query without these filters. */
  function counted(counts) {
    const of = address.written({ ...asked, kinds: [], paths: [], open: "", sort: "" });
    if (!asked.kinds.length && !asked.paths.length) facets = { of, counts };
    if (facets.of !== of) return counts;
    return { ...counts, kinds: asked.kinds.length ? { ...facets.counts.kinds, ...counts.kinds } : counts.kinds, folders: asked.paths.length ? facets.counts.folders : counts.folders };
  }

  function tell(found, order) {
    const n = found.hits.length;
    const parts = [t("found", { n: n >= wanted && wanted < MOST ? `${count(n)}+` : count(n) }), found.seconds?.total !== undefined && t("took", { s: found.seconds.total.toFixed(2) }), order, ...(found.notes || [])];
    summary.textContent = parts.filter(Boolean).join(" · ");
  }

  /** Adds more hits below those on the page; nothing above moves. */
  async function more() {
    if (!answer || answer.hits.length < wanted || wanted >= MOST || running?.more || view.classList.contains("is-searching")) return;
    const { signal } = running;
    running.more = true;
    wanted = Math.min(MOST, wanted + STEP);
    try {
      const found = await server.search(request({ rerank: answer.reranked }), signal);
      const shown = new Set(answer.hits.map((hit) => hit.id));
      const fresh = found.hits.filter((hit) => !shown.has(hit.id)).map((hit, at) => ({ ...hit, rank: shown.size + at + 1 }));
      answer = { ...answer, hits: [...answer.hits, ...fresh] };
      asked.sort ? draw(answer) : cards.append(fresh);
      fill(end, fresh.length && wanted < MOST ? h("span", { class: "dim" }, t("more")) : h("span", { class: "dim" }, t("no_more")));
      tell(answer, answer.reranked ? t("ranked") : "");
      if (!fresh.length) wanted = MOST;
    } catch (error) {
      if (error.name !== "AbortError") refuse(error, true);
    } finally {
      running.more = false;
    }
  }

  function refuse(error, keep = false) {
    view.classList.remove("is-searching", "at-rest");
    summary.textContent = "";
    fill(
      trouble,
      h("div", { class: "trouble" }, icon("warning"), h("div", {}, h("strong", {}, error.message), error.remedy && h("p", {}, error.remedy)), error.code !== "gone" && error.code !== "picture" && h("button", { type: "button", class: "plain", on: { click: () => run() } }, t("again"))),
    );
    if (keep || error.code === "picture" || error.code === "down") return;
    answer = null;
    cards.show([]);
  }

  function open(hit, how) {
    asked = { ...asked, open: hit.id };
    address.push(asked);
    looking.open(hit, how);
  }
  const reopen = () => {
    const hit = answer?.hits.find((one) => one.id === asked.open || one.members.some((member) => member.id === asked.open));
    hit ? looking.open(hit) : looking.openId(asked.open);
  };
  function closed(id) {
    if (!asked.open) return;
    asked = { ...asked, open: "" };
    address.push(asked);
    cards.focus(id) || box.input.focus();
  }
  function turned(id) {
    asked = { ...asked, open: id };
    address.replace(asked);
  }

  /** Shows what the address says, after back, forward or a change of language. */
  function navigate() {
    const before = asked;
    asked = address.read();
    typing = false;
    const plain = (query) => address.written({ ...query, open: "", tab: "" });
    if (answer && plain(before) === plain(asked)) return asked.open ? reopen() : looking.close();
    if (!asked.open) looking.close();
    return run();
  }
  /** The searched indexes, that of the passage first: the server looks the passage up there. */
  const within = (index) => (asked.indexes.length ? [index, ...asked.indexes.filter((one) => one !== index)] : index === named().first?.name ? [] : [index]);
  /** The orders to choose from, with their labels; by date only if a hit has one. */
  const orders = () => [["", "sort_best"], ...(answer?.hits.some((hit) => hit.dated) ? [["new", "sort_new"]] : []), ["name", "sort_name"]];
  return { navigate, run, focus: () => (box.input.focus(), box.input.select()), refresh: () => address.isEmpty(asked) && rest() };
}

const NONE = Object.fromEntries(KINDS.map((kind) => [kind, 0]));

/** The sums of the counts of several indexes. */
function together(indexes, of) {
  const sums = {};
  for (const one of indexes) for (const [name, n] of Object.entries(one[of] || {})) sums[name] = (sums[name] || 0) + n;
  return sums;
}

const nextDay = (date) => new Date(new Date(date).getTime() + 86400000).toISOString().slice(0, 10); // the server's `before` excludes that day

function ordered(hits, sort) {
  if (sort === "name") return [...hits].sort((a, b) => nameOf(a.document).localeCompare(nameOf(b.document), undefined, { numeric: true }) || a.rank - b.rank);
  if (sort === "new") return [...hits].sort((a, b) => (b.dated || 0) - (a.dated || 0) || a.rank - b.rank);
  return hits;
}

/** The hits of the later answer in the order on the page, so that previous and next stay where they were. */
function inPlace(shown, found) {
  const later = new Map(found.map((hit) => [hit.id, hit]));
  return shown.map((hit) => later.get(hit.id) || hit);
}
