// One hit as a card. Knows the JSON of a hit; knows no server and no other card.
import { h, icon, marked } from "./dom.js";
import { day, folderOf, inside, nameOf, place, plain, within } from "./places.js";
import { t } from "./words.js";

/** The card of a hit: an article whose heading is a button that opens it. */
export function card(hit, open) {
  const name = nameOf(hit.document);
  const where = within(hit.locator);
  const label = [t(`kind_${hit.kind}`), name, place(hit.locator)].filter(Boolean).join(", ");
  const button = h("button", { class: "card-open", type: "button", "aria-label": `${t("rank", { n: hit.rank })} ${label}`, on: { click: () => open(hit) } }, name);
  const alone = hit.members.length < 2 && !hit.folded?.length; // else the foot has no room for the date
  const shows = hit.kind === "text" ? lines(hit) : picture(hit);
  return h(
    "article",
    { class: `card card-${hit.kind}`, "data-id": hit.id, "data-kind": hit.kind, title: plain(hit.path) },
    h("div", { class: "card-look" }, shows, h("span", { class: `badge badge-${hit.kind}` }, icon(hit.kind), t(`kind_${hit.kind}`)), where && h("span", { class: "card-place" }, where)),
    h(
      "div",
      { class: "card-words" },
      h("h3", {}, button),
      h("p", { class: "card-path" }, [folderOf(hit.document) || plain(hit.root), inside(hit.locator)].filter(Boolean).join(" › ")),
      hit.kind !== "text" && hit.snippet && h("p", { class: "card-snippet" }, marked(hit.snippet, hit.marks)),
      h("p", { class: "card-foot" }, score(hit), hit.dated && alone && h("span", { class: "dim" }, day(hit.dated)), hit.members.length > 1 && h("span", { class: "dim" }, t("members", { n: hit.members.length })), hit.folded?.length > 0 && alike(hit, name, open)),
    ),
  );
}

/** `+3 similar`: opens the view on the near-duplicates of this result. */
const alike = (hit, name, open) =>
  h("button", { type: "button", class: "card-alike", "aria-label": `${t("similar_count", { n: hit.folded.length })}: ${name}`, on: { click: () => open(hit, { alike: true }) } }, icon("stack"), t("similar_count", { n: hit.folded.length }));

/** The score as a short bar and a number; its title says what it means. */
function score(hit) {
  const shown = hit.score.toFixed(2);
  const means = t(hit.rerank_score === null ? "score_fused" : "score_rerank");
  const strength = hit.score >= 0.5 ? "strong" : hit.score >= 0.25 ? "fair" : "weak";
  return h(
    "span",
    { class: `score score-${strength}`, title: `${t("score", { score: shown })}: ${means}` },
    h("span", { class: "score-bar", "aria-hidden": "true" }, h("span", { style: { width: `${Math.round(Math.min(1, Math.max(0.02, hit.score)) * 100)}%` } })),
    h("span", { class: "sr-only" }, t("score", { score: "" })),
    shown,
  );
}

function picture(hit) {
  const image = h("img", { src: hit.thumbnail, alt: "", loading: hit.rank <= 12 ? "eager" : "lazy", decoding: "async", draggable: "false" });
  image.addEventListener("error", () => image.replaceWith(h("span", { class: "card-none" }, icon(hit.kind), t("no_picture"))), { once: true });
  return image;
}

/** The snippet of a text like the page of a book, with its heading. */
function lines(hit) {
  const heading = hit.context.heading || hit.context.title;
  const hashes = /^#{1,6} /.exec(hit.snippet)?.[0].length || 0; // of a heading in Markdown
  return h(
    "div",
    { class: "card-sheet" },
    heading && h("p", { class: "card-heading" }, heading),
    h("p", { class: "card-lines" }, marked(hit.snippet.slice(hashes), hit.marks.map(([start, end]) => [start - hashes, end - hashes]))),
  );
}
