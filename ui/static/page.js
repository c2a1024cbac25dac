// Puts the page together: waits for Gradio's tabs, fills them, and follows the address. Everything else is in the modules it imports.
import * as address from "./address.js";
import * as server from "./asking.js";
import { indexTab } from "./indexing.js";
import { searchTab } from "./searching.js";
import { applyTheme, topBar } from "./shell.js";
import { chooseLanguage } from "./words.js";

const NOTHING = { indexes: [], documents: 0, passages: 0, first: null };
let held = NOTHING; // totals of all indexes, and each index

chooseLanguage();
applyTheme();
start();

async function start() {
  const host = await appears("rag-search");
  const bar = topBar(() => location.reload());
  const search = searchTab(host, () => held);
  let index = null;

  async function look() {
    held = await holdings().catch(() => held);
    search.refresh();
  }
  const onTab = () => document.querySelector('[role="tab"][aria-selected="true"]')?.dataset.tabId || "search";
  const tab = (name) => document.getElementById(`tab-${name}-button`);

  /** Gradio draws a tab when it is first chosen: the index tab is filled when it appears. */
  async function chose(name) {
    const query = address.read();
    if ((query.tab || "search") !== name) address.push({ ...query, tab: name === "search" ? "" : name, open: "" });
    if (name !== "index") return;
    const place = await appears("rag-index");
    if (!index || !place.childElementCount) index = indexTab(place, { chosen: () => onTab() === "index", changed: look });
    index.refresh();
  }
  function navigate() {
    const wanted = address.read().tab || "search";
    if (onTab() !== wanted) tab(wanted)?.click();
    bar.draw();
    search.navigate();
  }

  document.addEventListener("click", (event) => {
    const chosen = event.target.closest?.('[role="tab"]');
    if (chosen) chose(chosen.dataset.tabId);
  });
  addEventListener("popstate", navigate);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select") || document.querySelector("dialog[open]")) return;
    if (event.key === "/") {
      event.preventDefault();
      if (onTab() !== "search") tab("search").click();
      search.focus();
    } else if (event.key === "?") bar.keys();
  });
  search.run();
  if (address.read().tab === "index") tab("index")?.click();
  else if (address.isEmpty(address.read()) && !matchMedia("(pointer: coarse)").matches) search.focus();
  setInterval(() => held.first && !held.documents && !document.hidden && look(), 4000); // a new index appears by itself
  await look();
  performance.mark("rag:ready");
  document.documentElement.dataset.ready = "true";
}

/** The totals of all indexes, and each index. */
async function holdings() {
  const all = await server.indexes();
  return { indexes: all, first: all[0] || null, documents: all.reduce((n, one) => n + (one.documents || 0), 0), passages: all.reduce((n, one) => n + (one.passages || 0), 0) };
}

/** The element with that id, when Gradio has drawn it. */
function appears(id) {
  return new Promise((found) => {
    const look = () => document.getElementById(id);
    if (look()) return found(look());
    const watch = new MutationObserver(() => look() && (watch.disconnect(), found(look())));
    return watch.observe(document.documentElement, { childList: true, subtree: true });
  });
}
