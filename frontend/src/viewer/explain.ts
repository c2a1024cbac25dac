// Why a hit ranks where it does: every stage's rank and score. Knows the JSON of a hit.
import { h } from "../dom";
import { plain } from "../places";
import { said, whenSaid } from "../said";
import type { Listed } from "../types";
import { t, type Word } from "../words";

const NAMES: Record<string, Word> = { rerank_score: "stage_rerank", fused: "stage_fused" }; // of the server's stages
const COLUMNS: Word[] = ["stage", "stage_rank", "stage_score"];

/** A small table, from the lanes to the score shown. */
export function why(hit: Listed): HTMLElement {
  const explain = hit.explain ?? { lanes: hit.lanes, rerank_score: hit.rerank_score };
  const lane = (name: string): HTMLElement => {
    const found = explain.lanes[name];
    const what = t(name === "lexical" ? "lane_lexical" : "lane_dense");
    const label = found?.space ? `${what} · ${plain(found.space)}` : what;
    return found ? row(label, String(found.rank), number(found.score)) : row(label, "–", t("not_found_there"), "dim");
  };
  const is = explain.score_is ?? "";
  const what = NAMES[is];
  const line = h("p", { class: "dim" });
  const say = (): void => {
    line.textContent = t("score_is", { what: what ? t(what) : said(is) });
  };
  say();
  whenSaid(say);
  return h(
    "details",
    { class: "part why" },
    h("summary", {}, t("why")),
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          COLUMNS.map((key) => h("th", { scope: "col" }, t(key))),
        ),
      ),
      h(
        "tbody",
        {},
        lane("dense"),
        Object.keys(explain.lanes)
          .filter((name) => name.startsWith("dense:"))
          .map(lane),
        lane("lexical"),
        row(t("stage_fused"), "", number(explain.fused)),
        explain.rerank_score === null ? null : row(t("stage_rerank"), "", number(explain.rerank_score)),
        row(t("stage_final"), String(hit.rank), number(hit.score), "final"),
      ),
    ),
    is ? line : null,
  );
}

const number = (value: number | null | undefined): string =>
  value === null || value === undefined ? "–" : value.toFixed(3);

function row(name: string, rank: string, score: string, kind = ""): HTMLElement {
  return h("tr", { class: kind }, h("th", { scope: "row" }, name), h("td", {}, rank), h("td", {}, score));
}
