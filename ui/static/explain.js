// Why a hit ranks where it does: every stage's rank and score. Knows the JSON of a hit.
import { h } from "./dom.js";
import { t } from "./words.js";

const NAMES = { rerank_score: "stage_rerank", fused: "stage_fused" }; // of the server's stages

/** A small table, from the lanes to the score shown. */
export function why(hit) {
  const explain = hit.explain || { lanes: hit.lanes, rerank_score: hit.rerank_score };
  const number = (value) => (value === null || value === undefined ? "–" : Number(value).toFixed(3));
  const row = (name, rank, score, kind = "") => h("tr", { class: kind }, h("th", { scope: "row" }, name), h("td", {}, rank), h("td", {}, score));
  const lane = (name) => {
    const found = explain.lanes?.[name];
    return found ? row(t(`lane_${name}`), String(found.rank), number(found.score)) : row(t(`lane_${name}`), "–", t("not_found_there"), "dim");
  };
  const rows = [lane("dense"), lane("lexical"), row(t("stage_fused"), "", number(explain.fused)), explain.rerank_score !== null && row(t("stage_rerank"), "", number(explain.rerank_score)), row(t("stage_final"), String(hit.rank), number(hit.score), "final")];
  return h(
    "details",
    { class: "part why" },
    h("summary", {}, t("why")),
    h("table", {}, h("thead", {}, h("tr", {}, ["stage", "stage_rank", "stage_score"].map((key) => h("th", { scope: "col" }, t(key))))), h("tbody", {}, rows)),
    explain.score_is && h("p", { class: "dim" }, t("score_is", { what: NAMES[explain.score_is] ? t(NAMES[explain.score_is]) : explain.score_is })),
  );
}
