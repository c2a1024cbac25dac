// Why a hit stands where it stands: every stage's rank and score. Knows the JSON of a hit.
import { h } from "./dom.js";
import { t } from "./words.js";

const SHOWN = { rerank_score: "stage_rerank", fused: "stage_fused" }; // what the server calls them

/** A small table from the first lanes to the score shown. */
export function why(hit) {
  const told = hit.explain || { lanes: hit.lanes, rerank_score: hit.rerank_score };
  const number = (value) => (value === null || value === undefined ? "–" : Number(value).toFixed(3));
  const row = (name, rank, score, kind = "") => h("tr", { class: kind }, h("th", { scope: "row" }, name), h("td", {}, rank), h("td", {}, score));
  const lane = (name) => {
    const seen = told.lanes?.[name];
    return seen ? row(t(`lane_${name}`), String(seen.rank), number(seen.score)) : row(t(`lane_${name}`), "–", t("not_found_there"), "dim");
  };
  const rows = [lane("dense"), lane("lexical"), row(t("stage_fused"), "", number(told.fused)), told.rerank_score !== null && row(t("stage_rerank"), "", number(told.rerank_score)), row(t("stage_final"), String(hit.rank), number(hit.score), "final")];
  return h(
    "details",
    { class: "part why" },
    h("summary", {}, t("why")),
    h("table", {}, h("thead", {}, h("tr", {}, ["stage", "stage_rank", "stage_score"].map((key) => h("th", { scope: "col" }, t(key))))), h("tbody", {}, rows)),
    told.score_is && h("p", { class: "dim" }, t("score_is", { what: SHOWN[told.score_is] ? t(SHOWN[told.score_is]) : told.score_is })),
  );
}
