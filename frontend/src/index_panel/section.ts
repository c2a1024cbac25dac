// One index: what it holds, its folders, its model, what was skipped and why. Knows the JSON of an index; asks for nothing.
import { commandFor } from "../command";
import { type Child, fill, h } from "../dom";
import { icon } from "../icons";
import { bytes, count, plain } from "../places";
import { said } from "../said";
import { KINDS, type Root } from "../types";
import { t } from "../words";
import type { Shelf, Status } from "./types";

const ROWS = 200; // skipped files shown; the search field finds the others
const SUFFIXES = 24; // kinds of files shown

/** Starts bringing an index up to date: one root, or all if null. Null where the visitor may not. */
export type Start = ((index: string, root: string | null) => void) | null;

/** Elements of a section that stay when it is drawn anew. */
export interface Kept {
  job: HTMLElement;
  more: HTMLElement | null; // where folders and files are added, if the visitor may
}

/** The section of an index. */
export function section(shelf: Shelf, { job, more }: Kept, start: Start): HTMLElement {
  const { facts, status } = shelf;
  if (!status) return empty(shelf, job, more);
  return h(
    "section",
    { class: "index", "data-index": facts.name, "aria-label": facts.name },
    h(
      "header",
      { class: "index-top" },
      h("h2", {}, facts.name),
      h("p", { class: "dim" }, status.folder),
      h("div", { class: "index-act" }, starter(shelf, null, start)),
    ),
    job,
    more,
    h(
      "div",
      { class: "figures" },
      figure(count(status.documents), t("documents")),
      figure(count(sum(status.passages)), t("passages")),
      figure(bytes(status.bytes), t("on_disk")),
      figure(count(status.skipped_count), t("skipped")),
    ),
    h("div", { class: "columns" }, kinds(status), suffixes(status)),
    facts.roots.length ? roots(shelf, start) : null,
    model(status),
    skipped(status),
  );
}

const figure = (value: string, name: string): HTMLElement =>
  h("div", { class: "figure" }, h("strong", {}, value), h("span", {}, name));

const panel = (...inside: Child[]): HTMLElement => h("div", { class: "panel" }, ...inside);

function starter({ facts, job }: Shelf, root: string | null, start: Start): HTMLElement | null {
  if (!start) return null;
  const label = root === null ? t(job?.state === "stopped" ? "resume" : "update") : t("update_root");
  return h(
    "button",
    {
      type: "button",
      class: root === null ? "primary" : "plain",
      "data-start": facts.name,
      disabled: job?.state === "running",
      on: { click: () => start(facts.name, root) },
    },
    root === null ? icon("play") : null,
    label,
  );
}

function kinds({ passages }: Status): HTMLElement {
  const most = Math.max(1, ...Object.values(passages));
  const bar = (kind: (typeof KINDS)[number]): HTMLElement => {
    const n = passages[kind] ?? 0;
    return h(
      "li",
      { class: `bar-${kind}` },
      h("span", { class: "bar-name" }, icon(kind), t(`kinds_${kind}`)),
      h("span", { class: "bar-line", "aria-hidden": "true" }, h("span", { style: { width: `${(100 * n) / most}%` } })),
      h("span", { class: "bar-count" }, count(n)),
    );
  };
  return panel(h("h3", {}, t("by_kind")), h("ul", { class: "bars" }, KINDS.map(bar)));
}

function suffixes(status: Status): HTMLElement {
  const all = Object.entries(status.suffixes).slice(0, SUFFIXES);
  const one = ([suffix, n]: [string, number]): HTMLElement =>
    h("li", {}, h("strong", {}, suffix || "—"), ` ${count(n)}`);
  return panel(h("h3", {}, t("files_by")), h("ul", { class: "suffixes" }, all.map(one)));
}

function roots(shelf: Shelf, start: Start): HTMLElement {
  const all = shelf.facts.roots;
  const one = ({ name, folder, present }: Root): HTMLElement =>
    h(
      "li",
      {},
      icon("folder"),
      h(
        "span",
        {},
        h("strong", {}, plain(name)),
        " ",
        h("span", { class: "dim" }, plain(folder)),
        present ? null : h("em", {}, ` ${t("gone_root")}`),
      ),
      all.length > 1 ? starter(shelf, name, start) : null,
    );
  return panel(h("h3", {}, t("roots")), h("ul", { class: "roots" }, all.map(one)));
}

function model({ fingerprint, spaces }: Status): HTMLElement | null {
  if (!fingerprint) return null;
  const facts = [
    t("dimensions", { n: fingerprint.dim }),
    fingerprint.revision && t("revision", { r: fingerprint.revision }),
  ];
  const print = [fingerprint.preprocessing, fingerprint.instruction].filter(Boolean).join(" · ");
  return panel(
    h("h3", {}, t("model")),
    h("p", { class: "model" }, h("strong", {}, fingerprint.model), ` · ${facts.filter(Boolean).join(" · ")}`),
    print ? h("p", { class: "dim print" }, print) : null,
    (spaces ?? []).map(({ name, dim, share }) =>
      h(
        "p",
        { class: "model" },
        h("strong", {}, plain(name)),
        ` · ${t("dimensions", { n: dim })} · ${t("share", { n: Math.floor(100 * share) })}`,
      ),
    ),
  );
}

function skipped({ skipped: all, skipped_count }: Status): HTMLElement {
  if (!all.length) return panel(h("h3", {}, t("skipped")), h("p", { class: "dim" }, icon("check"), t("skipped_none")));
  const rows = h("tbody");
  const find = h("input", {
    type: "search",
    class: "find",
    placeholder: t("filter_skipped"),
    "aria-label": t("filter_skipped"),
  });
  const draw = (): void => {
    const words = find.value.toLowerCase();
    const fitting = all.filter((one) =>
      `${one.root}/${one.document} ${one.reason} ${said(one.reason)}`.toLowerCase().includes(words),
    );
    const row = (one: (typeof all)[number]): HTMLElement =>
      h(
        "tr",
        {},
        h("td", {}, h("span", { class: "dim" }, `${plain(one.root)}/`), plain(one.document)),
        h("td", {}, said(one.reason)),
      );
    fill(rows, fitting.slice(0, ROWS).map(row));
  };
  find.addEventListener("input", draw);
  draw();
  const heads = h("tr", {}, h("th", { scope: "col" }, t("path")), h("th", { scope: "col" }, t("reason")));
  return panel(
    h(
      "div",
      { class: "panel-top" },
      h("h3", {}, `${t("skipped")} (${count(skipped_count)})`),
      all.length > 3 ? find : null,
    ),
    h(
      "div",
      { class: "table-place", tabindex: "0", role: "region", "aria-label": t("skipped") },
      h("table", { class: "skipped" }, h("thead", {}, heads), rows),
    ),
  );
}

/** What to do where there is no index yet, or it cannot be opened. */
function empty({ facts, job: run }: Shelf, job: HTMLElement, more: HTMLElement | null): HTMLElement {
  const { problem } = facts;
  const isBroken = facts.exists && problem !== null;
  if (!isBroken && run?.state !== "running") more?.setAttribute("open", "");
  const advice = isBroken
    ? [h("h3", {}, t("unavailable")), h("p", {}, said(problem.what)), h("p", {}, said(problem.remedy))]
    : [
        h("h3", {}, t("empty_title")),
        more,
        h("p", {}, t("empty_hint")),
        h("pre", {}, h("code", {}, commandFor(facts.folder))),
        h("p", { class: "dim" }, t("empty_then")),
      ];
  return h(
    "section",
    { class: "index empty-index", "data-index": facts.name, "aria-label": facts.name },
    h("header", { class: "index-top" }, h("h2", {}, facts.name), h("p", { class: "dim" }, facts.folder)),
    job,
    ...advice,
  );
}

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((all, one) => all + one, 0);
