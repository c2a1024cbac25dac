// The column beside an opened passage: actions, facts, neighbours, near-duplicates. Knows the JSON of a passage; loads nothing itself.
import { citation } from "../citation";
import { type Child, h, marked } from "../dom";
import { type IconName, icon } from "../icons";
import { day, folderOf, nameOf, place, plain } from "../places";
import { media, type Near, type Passage, part as partOf } from "../server";
import type { Listed } from "../types";
import { t, type Word } from "../words";
import { copying, copyingPicture } from "./copies";
import { desktopActions } from "./desktop";

const SHORT = 700; // characters of a text that is shown unfolded
const SHORTEST_CLIP = 3; // seconds

/** What a person may search for from a passage. */
export interface Searches {
  alike(): void; // more like it
  unlike: (() => void) | null; // less like it; null where there is no search to change
  crop: (() => void) | null; // with a part of its picture
}

/** Buttons: more like this, less like this, search a part of the picture if there is one, open, copy, download, save the clip. */
export function actions(found: Passage, hit: Listed | null, { alike, unlike, crop }: Searches): HTMLElement {
  const path = hit?.file && found.document === hit.document ? hit.file : found.path;
  const link = (name: IconName, key: Word, href: string): HTMLElement =>
    h("a", { class: "action", href, download: true }, icon(name), h("span", {}, t(key)));
  const button = (name: IconName, key: Word, act: () => void): HTMLElement =>
    h("button", { type: "button", class: "action", on: { click: act } }, icon(name), h("span", {}, t(key)));
  const original = partOf(found.id, "original", { index: found.index });
  const locator = hit?.locator.start === undefined ? found.locator : hit.locator;
  const { start } = locator;
  const clip =
    found.video && start !== undefined
      ? partOf(found.id, "clip", {
          index: found.index,
          start,
          end: Math.max(locator.end ?? start, start + SHORTEST_CLIP),
        })
      : "";
  return h(
    "div",
    { class: "actions" },
    button("alike", "more_like", alike),
    unlike ? button("unlike", "less_like", unlike) : null,
    crop ? button("crop", "crop", crop) : null,
    desktopActions(found.id, found.index),
    copying("copy", "copy_path", path),
    copying("text", "copy_citation", citation(found.document, found.locator, path)),
    found.picture ? copyingPicture("copy_picture", found.picture) : null,
    link("download", "download", original),
    clip ? link("clip", "clip", clip) : null,
  );
}

/** What is known of the passage, as a list of terms. */
export function about(found: Passage): HTMLElement {
  const folder = folderOf(found.document);
  const isDatedApart = Math.abs(found.dated - (found.modified ?? 0)) > 60; // seconds
  const rows: [Word, string][] = [
    ["place", place(found.locator)],
    ["path", folder ? `${folder}/` : ""],
    ["heading", found.context.heading ?? ""],
    ["dated", found.dated && isDatedApart ? day(found.dated) : ""],
    ["modified", found.modified ? day(found.modified) : ""],
    ["about", found.context.about ?? ""],
    ["location", found.location ? `${found.location.lat.toFixed(5)}, ${found.location.lon.toFixed(5)}` : ""],
    ["size", found.size && found.kind !== "page" ? `${found.size[0]} × ${found.size[1]}` : ""],
  ];
  const shown = rows.filter(([, value]) => value);
  return h(
    "dl",
    { class: "facts" },
    shown.map(([key, value]) => h("div", {}, h("dt", {}, t(key)), h("dd", {}, value))),
  );
}

/** Previous and next pages, frames or parts; each opens in place. */
export function beside(found: Passage, openId: (id: string) => unknown): HTMLElement | null {
  const { before, after } = found.neighbours;
  if (!(before.length || after.length) || found.modality === "text") return null;
  const face = (near: Pick<Near, "id" | "kind" | "thumbnail">): Child =>
    near.kind === "text" && !near.thumbnail
      ? icon("text")
      : h("img", { src: near.thumbnail || media(near.id, found.index, "thumb"), alt: "", loading: "lazy" });
  const other = (near: Near): HTMLElement =>
    h(
      "button",
      { type: "button", class: "near", on: { click: () => openId(near.id) } },
      face(near),
      h("span", {}, place(near.locator)),
    );
  const own = h(
    "span",
    { class: "near near-here", "aria-current": "true" },
    face({ ...found, thumbnail: null }),
    h("span", {}, place(found.locator) || "•"),
  );
  return section("around", h("div", { class: "nears" }, before.map(other), own, after.map(other)));
}

/** The near-duplicates of the result, and the result itself to return to; each opens in place. */
export function similar(found: Passage, hit: Listed | null, openId: (id: string) => unknown): HTMLElement | null {
  if (!hit?.folded.length || ![hit, ...hit.members, ...hit.folded].some((one) => one.id === found.id)) return null;
  const one = ({ id, document, locator }: Pick<Listed, "id" | "document" | "locator">): HTMLElement =>
    h(
      "button",
      {
        type: "button",
        class: "near",
        "aria-current": id === found.id ? "true" : null,
        title: plain(document),
        on: { click: () => openId(id) },
      },
      hit.modality === "text"
        ? icon("text")
        : h("img", { src: media(id, found.index, "thumb"), alt: "", loading: "lazy" }),
      h("span", {}, [nameOf(document), place(locator)].filter(Boolean).join(", ")),
    );
  const shown = h("div", { class: "nears" }, [hit, ...hit.folded].map(one));
  return h("section", { class: "part similar" }, h("h3", {}, t("similar")), shown);
}

/** The text of a passage that is shown as a picture. */
export function textOf(found: Passage): HTMLElement | null {
  if (!found.text || found.modality === "text") return null;
  const words = h("p", { class: "words" }, marked(found.text, found.marks));
  return h("details", { class: "part", open: found.text.length < SHORT }, h("summary", {}, t("text")), words);
}

/** The caption of a picture. */
export const captionOf = (found: Passage): HTMLElement | null =>
  found.caption ? section("caption", h("p", { class: "words" }, marked(found.caption, found.caption_marks))) : null;

const section = (key: Word, ...inside: Child[]): HTMLElement =>
  h("section", { class: "part" }, h("h3", {}, t(key)), ...inside);
