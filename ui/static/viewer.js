// An opened hit: its page, picture, video or text, and actions on it. Knows the JSON of a passage; knows no result list.
import * as server from "./asking.js";
import { fill, h, icon, marked } from "./dom.js";
import { why } from "./explain.js";
import { film } from "./film.js";
import { day, folderOf, nameOf, place, plain } from "./places.js";
import { reader } from "./reader.js";
import { stage } from "./stage.js";
import { t } from "./words.js";

/** A dialog. `hits()` are those on the page, `alike(id, index)` searches, `closed(id)` and `turned(id)` update the address. */
export function viewer({ hits, words, index, alike, closed, turned }) {
  let hit = null; // the result it was opened from; null if only the address named it
  let shown = null; // the passage on display
  let asking = null;
  let silent = false;
  const look = h("div", { class: "look" });
  const side = h("aside", { class: "side" });
  const title = h("h2", { id: "viewer-title" });
  const where = h("span", { class: "dim" });
  const button = (name, key, act) => h("button", { type: "button", class: "round", "aria-label": t(key), title: t(key), on: { click: act } }, icon(name));
  const previous = button("left", "previous_hit", () => turn(-1));
  const next = button("right", "next_hit", () => turn(1));
  const top = h("header", { class: "viewer-top" }, h("div", { class: "viewer-name" }, title, where), previous, next, button("close", "close", () => element.close()));
  const element = h("dialog", { class: "viewer", "aria-labelledby": "viewer-title", tabindex: "-1" }, top, h("div", { class: "viewer-body" }, look, side));
  document.body.append(element);
  element.addEventListener("close", () => {
    asking?.abort();
    const id = hit?.id;
    [hit, shown] = [null, null];
    fill(look);
    fill(side);
    if (!silent) closed(id);
  });
  document.addEventListener("keydown", (event) => element.isConnected && element.open && keys(event)); // the focus may be on the page below

  const at = () => hits().findIndex((one) => one.id === hit?.id);
  function turn(by) {
    const to = hits()[at() + by];
    if (to && hit) (turned(to.id), open(to));
  }

  async function open(chosen, { alike = false } = {}) {
    hit = chosen;
    await show(chosen.id, chosen, () => alike && side.querySelector(".similar .near")?.focus());
  }
  /** Opens a passage that is not a result: from the address, or a neighbour. */
  const openId = (id) => show(id, hit);

  async function show(id, from, drawn = () => null) {
    asking?.abort();
    const mine = (asking = new AbortController());
    if (!element.open) element.showModal();
    previous.disabled = !hit || at() <= 0;
    next.disabled = !hit || at() < 0 || at() >= hits().length - 1;
    if (from) title.textContent = nameOf(from.document);
    look.classList.add("is-loading");
    try {
      const { signal } = mine;
      const found = await server.passage(id, hit?.index || index(), words(), false, signal);
      const made = draw(found);
      look.classList.remove("is-loading");
      drawn();
      if (made && found.marks.length) await outlined(made, found, signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      fill(look, notice(error.message, error.remedy));
      fill(side);
    } finally {
      if (asking === mine) look.classList.remove("is-loading"); // else a later one is loading
    }
  }

  /** Adds the outlines of the matches when they are found; the picture is there already, and stays without them. */
  async function outlined(made, found, signal) {
    made.coming();
    try {
      made.outline((await server.passage(found.id, found.index, words(), true, signal)).regions);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      made.outline([]);
    }
  }

  function draw(found) {
    shown = found;
    const spot = place(found.locator);
    title.textContent = nameOf(found.document);
    where.textContent = [t(`kind_${found.kind}`), found.pages && "page" in found.locator ? t("of_pages", { place: spot, n: found.pages }) : spot].filter(Boolean).join(" · ");
    const own = hit && (hit.id === found.id || hit.members.some((member) => member.id === found.id)) ? hit : null;
    const same = hits().filter((one) => one.document === found.document && one.root === found.root);
    let made = null;
    if (found.trouble && found.modality !== "text") fill(look, notice(found.trouble.what, found.trouble.remedy));
    else if (found.video) fill(look, film(found, own, same, server.media));
    else if (found.modality === "text") {
      fill(look, reader(found, (id) => openId(id)));
      look.querySelector(".reader-own").scrollIntoView({ block: "center" });
    }
    else {
      made = stage(found, found.picture, server.media(found.id, found.index, "full"));
      fill(look, made.element);
    }
    fill(side, actions(found), about(found, spot), found.caption && part("caption", h("p", { class: "words" }, marked(found.caption, found.caption_marks))), beside(found), similar(found), textOf(found), own && why(own));
    side.scrollTop = 0;
    if (!element.contains(document.activeElement)) element.focus(); // the button that had the focus may be gone
    const here = side.querySelector(".near-here"); // scroll it to the middle of the strip
    if (here) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - (here.parentElement.clientWidth - here.clientWidth) / 2;
    return made;
  }

  const notice = (what, remedy) => h("div", { class: "trouble", role: "alert" }, icon("warning"), h("div", {}, h("strong", {}, what), h("p", {}, remedy || "")));

  function actions(found) {
    const path = hit?.path && found.document === hit.document ? hit.path : found.path;
    const copy = h("button", { type: "button", class: "action", on: { click: () => copied(copy, path) } }, icon("copy"), h("span", {}, t("copy_path")));
    const link = (name, key, href) => h("a", { class: "action", href, download: true }, icon(name), h("span", {}, t(key)));
    const here = server.withValues(`/v1/media/${encodeURIComponent(found.id)}/original`, { index: found.index });
    const clip = found.video && "start" in found.locator && server.withValues(`/v1/media/${encodeURIComponent(found.id)}/clip`, { index: found.index, ...span(found) });
    const like = h("button", { type: "button", class: "action", on: { click: () => ((silent = true), element.close(), (silent = false), alike(found.id, found.index)) } }, icon("alike"), h("span", {}, t("more_like")));
    return h("div", { class: "actions" }, like, copy, link("download", "download", here), clip && link("clip", "clip", clip));
  }

  const span = (found) => (hit && "start" in hit.locator ? { start: hit.locator.start, end: Math.max(hit.locator.end, hit.locator.start + 3) } : { start: found.locator.start, end: Math.max(found.locator.end, found.locator.start + 3) });

  const degrees = ({ lat, lon }) => `${lat.toFixed(5)}, ${lon.toFixed(5)}`;

  function about(found, spot) {
    const rows = [["place", spot], ["path", folderOf(found.document) ? `${folderOf(found.document)}/` : ""], ["heading", found.context?.heading], ["dated", found.dated && Math.abs(found.dated - (found.modified || 0)) > 60 && day(found.dated)], ["modified", found.modified && day(found.modified)], ["about", found.context?.about], ["location", found.location && degrees(found.location)], ["size", found.size && found.kind !== "page" && `${found.size[0]} × ${found.size[1]}`]];
    return h("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([key, value]) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, value))));
  }

  /** Previous and next pages, frames or parts; each opens in place. */
  function beside(found) {
    const parts = [...(found.neighbours?.before || []), null, ...(found.neighbours?.after || [])];
    if (parts.length < 2 || found.modality === "text") return null;
    const one = (near) =>
      near === null
        ? h("span", { class: "near near-here", "aria-current": "true" }, face(found), h("span", {}, place(found.locator) || "•"))
        : h("button", { type: "button", class: "near", on: { click: () => openId(near.id) } }, face(near), h("span", {}, place(near.locator)));
    const face = (near) => (near.kind === "text" && !near.thumbnail ? icon("text") : h("img", { src: near.thumbnail || server.media(near.id, found.index, "thumb"), alt: "", loading: "lazy" }));
    return part("around", h("div", { class: "nears" }, parts.map(one)));
  }

  /** The near-duplicates of the result, and the result itself to return to; each opens in place. */
  function similar(found) {
    if (!hit?.folded?.length || ![hit, ...hit.members, ...hit.folded].some((one) => one.id === found.id)) return null;
    const one = ({ id, document, locator }) =>
      h("button", { type: "button", class: "near", "aria-current": id === found.id ? "true" : null, title: plain(document), on: { click: () => openId(id) } }, hit.modality === "text" ? icon("text") : h("img", { src: server.media(id, found.index, "thumb"), alt: "", loading: "lazy" }), h("span", {}, [nameOf(document), place(locator)].filter(Boolean).join(", ")));
    return h("section", { class: "part similar" }, h("h3", {}, t("similar")), h("div", { class: "nears" }, [hit, ...hit.folded].map(one)));
  }

  function textOf(found) {
    if (!found.text || found.modality === "text") return null;
    const folded = h("details", { class: "part", open: found.text.length < 700 }, h("summary", {}, t("text")), h("p", { class: "words" }, marked(found.text, found.marks)));
    return folded;
  }
  const part = (key, ...inside) => h("section", { class: "part" }, h("h3", {}, t(key)), ...inside);

  function keys(event) {
    if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const beyond = shown?.neighbours;
    const act = { ArrowLeft: () => turn(-1), ArrowRight: () => turn(1), "[": () => beyond?.before?.length && openId(beyond.before.at(-1).id), "]": () => beyond?.after?.length && openId(beyond.after[0].id) }[event.key];
    if (!act || (event.target.matches("video, [role=slider]") && event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    act();
  }

  function close() {
    if (!element.open) return;
    silent = true;
    element.close();
    silent = false;
  }
  return { open, openId, close, isOpen: () => element.open };
}

async function copied(button, path) {
  const label = button.querySelector("span");
  try {
    await navigator.clipboard.writeText(path);
    label.textContent = t("copied");
  } catch {
    label.textContent = path; // no permission: show the path itself, to select
  }
  setTimeout(() => (label.textContent = t("copy_path")), 2500);
}
