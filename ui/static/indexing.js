// The index tab: what an index holds, what was skipped and why; starts, follows and stops indexing. Draws no result.
import * as server from "./asking.js";
import { fill, h, icon } from "./dom.js";
import { KINDS, bytes, count, plain, span } from "./places.js";
import { t } from "./words.js";

const BOTTLENECK = 0.2; // share of time by which the stages' waiting must differ to name a bottleneck
const POLL = 700; // milliseconds between two looks at a running job
const ROWS = 200; // skipped files shown; the search field finds the others

/** Draws the index tab into `host` and keeps it up to date while it is open. */
export function indexTab(host, { chosen, changed }) {
  const jobs = new Map(); // index name → {state, id, …} as last reported by the server
  let list = [];
  let wanted = ""; // words to find in a skipped file or its reason
  const trouble = h("div", { role: "alert" });
  const body = h("div", { class: "indexes" });
  fill(host, h("div", { class: "indexing" }, h("h1", { class: "sr-only" }, t("index")), trouble, body));

  async function refresh() {
    try {
      list = await server.indexes();
      const states = await Promise.all(list.map((one) => one.exists && server.status(one.name).catch((error) => ({ error }))));
      fill(trouble);
      fill(body, list.map((one, at) => section(one, states[at])));
      for (const one of list) if (one.job && jobs.get(one.name)?.state !== "running") follow(one.name, one.job);
    } catch (error) {
      fill(trouble, h("div", { class: "trouble" }, icon("warning"), h("div", {}, h("strong", {}, error.message), h("p", {}, error.remedy)), h("button", { type: "button", class: "plain", on: { click: refresh } }, t("again"))));
    }
  }

  function section(one, state) {
    if (!state || state.error) return empty(one, state?.error);
    const skips = state.skipped_count ?? state.skipped.length;
    const roots = one.roots || [];
    return h(
      "section",
      { class: "index", "data-index": one.name, "aria-label": one.name },
      h("header", { class: "index-top" }, h("h2", {}, one.name), h("p", { class: "dim" }, state.folder), h("div", { class: "index-act" }, startButton(one.name, null))),
      h("div", { class: "index-job", "data-job": one.name }, progress(one.name)),
      h("div", { class: "figures" }, figure(count(state.documents), t("documents")), figure(count(sum(state.passages)), t("passages")), figure(bytes(state.bytes), t("on_disk")), figure(count(skips), t("skipped"))),
      h("div", { class: "columns" }, kinds(state), suffixes(state)),
      roots.length > 0 && h("div", { class: "panel" }, h("h3", {}, t("roots")), h("ul", { class: "roots" }, roots.map(({ name, folder, present }) => h("li", {}, icon("folder"), h("span", {}, h("strong", {}, plain(name)), " ", h("span", { class: "dim" }, plain(folder)), !present && h("em", {}, ` ${t("gone_root")}`)), roots.length > 1 && startButton(one.name, name))))),
      model(state.fingerprint),
      skipped(state.skipped, skips),
    );
  }

  const figure = (value, name) => h("div", { class: "figure" }, h("strong", {}, value), h("span", {}, name));

  function kinds(state) {
    const most = Math.max(1, ...Object.values(state.passages));
    return h("div", { class: "panel" }, h("h3", {}, t("by_kind")), h("ul", { class: "bars" }, KINDS.map((kind) => h("li", { class: `bar-${kind}` }, h("span", { class: "bar-name" }, icon(kind), t(`kinds_${kind}`)), h("span", { class: "bar-line", "aria-hidden": "true" }, h("span", { style: { width: `${(100 * (state.passages[kind] || 0)) / most}%` } })), h("span", { class: "bar-count" }, count(state.passages[kind] || 0))))));
  }

  function suffixes(state) {
    const all = Object.entries(state.suffixes || {}).slice(0, 24);
    return h("div", { class: "panel" }, h("h3", {}, t("files_by")), h("ul", { class: "suffixes" }, all.map(([suffix, n]) => h("li", {}, h("strong", {}, suffix || "—"), ` ${count(n)}`))));
  }

  function model(fingerprint) {
    if (!fingerprint) return null;
    const rows = [[t("model"), fingerprint.model], ["", t("dimensions", { n: fingerprint.dim })], ["", fingerprint.revision && t("revision", { r: fingerprint.revision })], [t("fingerprint"), [fingerprint.preprocessing, fingerprint.instruction].filter(Boolean).join(" · ")]];
    return h("div", { class: "panel" }, h("h3", {}, t("model")), h("p", { class: "model" }, h("strong", {}, fingerprint.model), " · ", rows[1][1], rows[2][1] ? ` · ${rows[2][1]}` : ""), rows[3][1] && h("p", { class: "dim print" }, rows[3][1]));
  }

  function skipped(all, skips) {
    if (!all.length) return h("div", { class: "panel" }, h("h3", {}, t("skipped")), h("p", { class: "dim" }, icon("check"), t("skipped_none")));
    const rows = h("tbody");
    const draw = () => {
      const words = wanted.toLowerCase();
      const fitting = all.filter((one) => !words || `${one.root}/${one.document} ${one.reason}`.toLowerCase().includes(words)).slice(0, ROWS);
      fill(rows, fitting.map((one) => h("tr", {}, h("td", {}, h("span", { class: "dim" }, `${plain(one.root)}/`), plain(one.document)), h("td", {}, one.reason))));
    };
    draw();
    const find = h("input", { type: "search", class: "find", value: wanted, placeholder: t("filter_skipped"), "aria-label": t("filter_skipped"), on: { input: (event) => ((wanted = event.target.value), draw()) } });
    return h("div", { class: "panel" }, h("div", { class: "panel-top" }, h("h3", {}, `${t("skipped")} (${count(skips)})`), all.length > 3 && find), h("div", { class: "table-place", tabindex: "0", role: "region", "aria-label": t("skipped") }, h("table", { class: "skipped" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("path")), h("th", { scope: "col" }, t("reason")))), rows)));
  }

  /** What to do where there is no index yet, or it cannot be opened. */
  function empty(one, error) {
    const broken = one.exists && (one.problem || error);
    const advice = broken ? [h("p", {}, broken.what || broken.message), h("p", {}, broken.remedy)] : [h("p", {}, t("empty_hint")), h("pre", {}, h("code", {}, commandFor(one))), h("p", { class: "dim" }, t("empty_then"))];
    return h("section", { class: "index empty-index", "data-index": one.name, "aria-label": one.name }, h("header", { class: "index-top" }, h("h2", {}, one.name), h("p", { class: "dim" }, one.folder)), h("h3", {}, t(broken ? "unavailable" : "empty_title")), advice);
  }

  function startButton(index, root) {
    const runs = jobs.get(index)?.state === "running";
    const again = jobs.get(index)?.state === "stopped";
    const label = root ? t("update_root") : t(again ? "resume" : "update");
    return h("button", { type: "button", class: root ? "plain" : "primary", "data-start": index, disabled: runs, on: { click: () => start(index, root) } }, root ? label : [icon("play"), label]);
  }

  async function start(index, root) {
    try {
      const { job } = await server.startIndexing(index, root);
      jobs.set(index, { state: "running", id: job });
      show(index);
      follow(index, job);
    } catch (error) {
      jobs.set(index, { state: "failed", error: { what: error.message, remedy: error.remedy } });
      show(index);
    }
  }

  async function follow(index, id) {
    for (;;) {
      try {
        jobs.set(index, { ...(await server.job(id)), id });
      } catch (error) {
        if (error.code === "down") jobs.set(index, { state: "failed", error: { what: error.message, remedy: error.remedy } });
        else jobs.delete(index);
      }
      show(index);
      if (jobs.get(index)?.state !== "running") break;
      await new Promise((done) => setTimeout(done, POLL));
    }
    changed();
    return refresh();
  }

  async function stop(index) {
    const running = jobs.get(index);
    jobs.set(index, { ...running, stopping: true });
    show(index);
    await server.stopIndexing(running.id).catch(() => null); // it may just have ended: the next look shows it
  }

  function show(index) {
    const place = body.querySelector(`[data-job="${CSS.escape(index)}"]`);
    if (!place) return;
    fill(place, progress(index));
    for (const button of body.querySelectorAll(`[data-start="${CSS.escape(index)}"]`)) button.disabled = jobs.get(index)?.state === "running";
  }

  function progress(index) {
    const job = jobs.get(index);
    if (!job) return null;
    if (job.state === "running") return running(index, job);
    if (job.state === "failed") return h("div", { class: "trouble", role: "alert" }, icon("warning"), h("div", {}, h("strong", {}, job.error?.what || t("state_failed")), h("p", {}, job.error?.remedy || (typeof job.error === "string" ? job.error : ""))));
    const report = job.report;
    const counted = report && t("report", { indexed: report.indexed ?? 0, unchanged: report.unchanged ?? 0, removed: report.removed ?? 0, skipped: Array.isArray(report.skipped) ? report.skipped.length : (report.skipped ?? 0) });
    return h("div", { class: `job-end job-${job.state}`, role: "status" }, icon(job.state === "done" ? "check" : "warning"), h("strong", {}, t(`state_${job.state}`)), counted && h("span", { class: "dim" }, counted));
  }

  function running(index, job) {
    const [done, total] = [job.done || 0, job.total || 0];
    const rate = (name, n) => n >= 0.05 && t(name, { n: n < 9.95 ? n.toFixed(1) : count(Math.round(n)) });
    const parts = [job.folders > 1 && t("folder_of", { n: job.folder, m: job.folders }), total && t(job.counted ? "progress" : "progress_so_far", { done: count(done), total: count(total) }), rate("speed_documents", job.documents_per_second), rate("speed", job.passages_per_second), rate("speed_tokens", job.tokens_per_second), rate("megabytes", job.megabytes_per_second), job.seconds_left > 0 && t("left", { time: span(job.seconds_left) }), slowest(job.stages)];
    const stopper = h("button", { type: "button", class: "plain", disabled: Boolean(job.stopping), on: { click: () => stop(index) } }, t(job.stopping ? "stopping" : "stop"));
    return h("div", { class: "job" }, h("div", { class: "job-words" }, h("strong", {}, t("running")), h("span", { class: "dim" }, parts.filter(Boolean).join(" · ")), stopper), h("progress", { max: total || 1, ...(total && job.counted ? { value: done } : {}), "aria-label": t("running") }), h("p", { class: "dim job-file" }, plain(job.current || "")));
  }

  setInterval(() => chosen() && !document.hidden && list.some((one) => !one.documents) && refresh(), 4000);
  return { refresh };
}

/** The stage that waits least for the others, if it is clearly the bottleneck. */
function slowest(stages) {
  const waits = Object.entries(stages || {}).sort((a, b) => a[1] - b[1]);
  return waits.length > 1 && waits.at(-1)[1] - waits[0][1] > BOTTLENECK && t("held_back", { stage: t(`stage_${waits[0][0]}`) });
}

/** The command that creates an index. */
export function commandFor(one) {
  const plain = one.folder.endsWith("/indexes/default");
  return plain ? "rag index ./corpus" : `rag index ./corpus --index ${/^[\w./-]+$/.test(one.folder) ? one.folder : `'${one.folder.replace(/'/g, "'\\''")}'`}`;
}

const sum = (counts) => Object.values(counts || {}).reduce((all, one) => all + one, 0);
