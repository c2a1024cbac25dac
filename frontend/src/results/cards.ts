// One hit as a card. Knows the JSON of a hit; knows no server and no other card.
import { h, marked } from "../dom";
import { icon } from "../icons";
import { day, folderOf, inside, nameOf, place, plain, within } from "../places";
import { part } from "../server";
import type { Hit } from "../types";
import { t } from "../words";

const FORM = 1.6; // width by height of the picture on a card, as in results.css
const ENOUGH = 0.72; // share of a picture that a card shows at least
const EAGER = 12; // pictures loaded at once; the others when they come near

/** What a person does with a card. */
export interface Ways {
  open(hit: Hit, how?: { alike: boolean }): void;
  /** The card has the focus or was clicked. */
  select(hit: Hit): void;
  /** Whether what is selected is shown beside the list: then a click selects, and opens nothing. */
  isPreviewed(): boolean;
}

/** Which hits are selected. */
export interface Pick {
  has(id: string): boolean;
  set(hit: Hit, on: boolean): void;
}

/** The card of a hit: an article whose heading is a link that opens it; Ctrl-click opens it in a new tab. */
export function card(hit: Hit, href: string, ways: Ways, pick: Pick): HTMLElement {
  const name = nameOf(hit.document);
  const where = within(hit.locator);
  const label = [t(`kind_${hit.kind}`), name, place(hit.locator)].filter(Boolean).join(", ");
  const clicked = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const isKey = event.detail === 0; // Enter, or a screen reader
    if (isKey || !ways.isPreviewed()) ways.open(hit);
    else link.focus();
  };
  const link = h(
    "a",
    {
      class: "card-open",
      href,
      "aria-label": `${t("rank", { n: hit.rank })} ${label}`,
      on: {
        click: clicked,
        dblclick: () => ways.isPreviewed() && ways.open(hit),
        focus: () => ways.select(hit),
        dragstart: (event: DragEvent) => carry(event, hit),
      },
    },
    name,
  );
  const folder = [folderOf(hit.document) || plain(hit.root), inside(hit.locator)].filter(Boolean).join(" › ");
  const picked = pick.has(hit.id) ? " is-picked" : "";
  return h(
    "article",
    { class: `card card-${hit.kind}${picked}`, "data-id": hit.id, "data-kind": hit.kind, title: plain(hit.file) },
    h("div", { class: "card-look" }, hit.kind === "text" ? lines(hit) : picture(hit)),
    h(
      "div",
      { class: "card-words" },
      h(
        "p",
        { class: "card-kind" },
        h("span", { class: `badge badge-${hit.kind}` }, icon(hit.kind), t(`kind_${hit.kind}`)),
        where ? h("span", { class: "card-place" }, where) : null,
      ),
      h("h3", {}, link),
      h("p", { class: "card-path" }, folder),
      hit.kind !== "text" && hit.snippet ? h("p", { class: "card-snippet" }, marked(hit.snippet, hit.marks)) : null,
      foot(hit, name, ways),
    ),
    picker(hit, name, pick),
  );
}

/** Gives a dragged card what other programs take: the file itself, its address on this server, its path. */
function carry({ dataTransfer }: DragEvent, hit: Hit): void {
  const address = new URL(part(hit.id, "original", { index: hit.index }), location.href).href;
  const name = hit.document.split("/").at(-1) ?? "";
  dataTransfer?.setData("DownloadURL", `application/octet-stream:${name.replaceAll(":", "_")}:${address}`);
  dataTransfer?.setData("text/uri-list", address);
  dataTransfer?.setData("text/plain", hit.file);
}

/** The box that selects a hit; the key `x` does the same. */
function picker(hit: Hit, name: string, pick: Pick): HTMLElement {
  const box: HTMLInputElement = h("input", {
    type: "checkbox",
    class: "card-pick",
    "aria-label": t("select", { name }),
    checked: pick.has(hit.id),
    on: {
      change: () => {
        box.closest(".card")?.classList.toggle("is-picked", box.checked);
        pick.set(hit, box.checked);
      },
    },
  });
  return box;
}

function foot(hit: Hit, name: string, ways: Ways): HTMLElement {
  const alone = hit.members.length < 2 && !hit.folded.length; // else there is no room for the date
  return h(
    "p",
    { class: "card-foot" },
    score(hit),
    hit.dated && alone ? h("span", { class: "dim" }, day(hit.dated)) : null,
    hit.members.length > 1 ? h("span", { class: "dim" }, t("members", { n: hit.members.length })) : null,
    hit.folded.length ? alike(hit, name, ways) : null,
  );
}

/** `+3 similar`: opens the view on the near-duplicates of this result. */
function alike(hit: Hit, name: string, ways: Ways): HTMLElement {
  const words = t("similar_count", { n: hit.folded.length });
  return h(
    "button",
    {
      type: "button",
      class: "card-alike",
      "aria-label": `${words}: ${name}`,
      on: { click: () => ways.open(hit, { alike: true }) },
    },
    icon("stack"),
    words,
  );
}

/** The score as a short bar and a number; its title says what it means. */
function score(hit: Hit): HTMLElement {
  const shown = hit.score.toFixed(2);
  const means = t(hit.rerank_score === null ? "score_fused" : "score_rerank");
  const strength = hit.score >= 0.5 ? "strong" : hit.score >= 0.25 ? "fair" : "weak";
  const width = `${Math.round(Math.min(1, Math.max(0.02, hit.score)) * 100)}%`;
  return h(
    "span",
    { class: `score score-${strength}`, title: `${t("score", { score: shown })}: ${means}` },
    h("span", { class: "score-bar", "aria-hidden": "true" }, h("span", { style: { width } })),
    h("span", { class: "sr-only" }, t("score", { score: "" })),
    shown,
  );
}

function picture(hit: Hit): HTMLElement {
  const loading = hit.rank <= EAGER ? "eager" : "lazy";
  const image = h("img", { src: hit.thumbnail, alt: "", loading, decoding: "async", draggable: "false" });
  const replace = (): void => image.replaceWith(h("span", { class: "card-none" }, icon(hit.kind), t("no_picture")));
  image.addEventListener("error", replace, { once: true });
  image.addEventListener("load", () => image.classList.toggle("is-whole", hides(image)));
  return image;
}

interface Sizes {
  naturalWidth: number;
  naturalHeight: number;
}

/** Whether filling the card would hide much of a picture: then it is shown whole. */
export function hides({ naturalWidth, naturalHeight }: Sizes): boolean {
  if (!naturalWidth || !naturalHeight) return false;
  const form = naturalWidth / naturalHeight / FORM;
  return Math.min(form, 1 / form) < ENOUGH;
}

/** The snippet of a text like the page of a book, with its heading. */
function lines(hit: Hit): HTMLElement {
  const heading = hit.context.heading || hit.context.title;
  const hashes = /^#{1,6} /.exec(hit.snippet)?.[0].length ?? 0; // of a heading in Markdown
  const marks = hit.marks.map(([start, end]): [number, number] => [start - hashes, end - hashes]);
  return h(
    "div",
    { class: "card-sheet" },
    heading ? h("p", { class: "card-heading" }, heading) : null,
    h("p", { class: "card-lines" }, marked(hit.snippet.slice(hashes), marks)),
  );
}
