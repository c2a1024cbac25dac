// Choosing a folder of the server's machine: by its path, or step by step. Knows listings; starts nothing itself.
import { notice, round } from "../controls";
import { fill, h } from "../dom";
import { icon } from "../icons";
import { count, plain } from "../places";
import { Refusal } from "../server";
import { t } from "../words";
import { type Listing, listing } from "./requests";

/** The chooser; `begin` is called with the folder that is to be indexed, `listed` with every listing. */
export function chooser(begin: (folder: string) => void, listed: (found: Listing) => void): HTMLElement {
  const path = h("input", {
    type: "text",
    class: "start-path",
    name: "folder",
    "aria-label": t("start_path"),
    placeholder: t("start_path"),
    autocomplete: "off",
    spellcheck: "false",
    maxlength: "4000",
  });
  const trouble = h("div");
  const list = h("ul", { class: "start-list" });
  const counts = h("span", { class: "dim", role: "status" });
  const go = h("button", { type: "button", class: "primary", disabled: true }, icon("play"), t("start_index"));
  const up = round("up", "start_up", () => above !== null && show(above));
  const form = h(
    "form",
    { class: "start-form" },
    up,
    path,
    h("button", { type: "submit", class: "plain" }, t("start_show")),
  );
  let above: string | null = null;
  let here = "";
  let asked = 0; // listings asked for: only the last one is shown
  let edited = false; // what a person types while a folder is read stays

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show(path.value.trim());
  });
  go.addEventListener("click", () => begin(here));
  path.addEventListener("input", () => {
    edited = true;
    go.disabled = path.value.trim() !== here; // what is typed is not what is shown
  });

  path.addEventListener("blur", told);

  /** The path of what is shown, unless a person has begun to type another one. */
  function told(): void {
    if (edited) return;
    path.value = here;
    path.scrollLeft = path.scrollWidth; // the end of a long path says more than its beginning
    go.disabled = here === "";
  }

  async function show(wanted: string): Promise<void> {
    asked += 1;
    const mine = asked;
    const inside = document.activeElement === path;
    edited = false;
    let found: Listing;
    try {
      found = await listing(wanted);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (mine !== asked) return;
      edited = true; // the refused path stays, to be corrected
      fill(trouble, notice(error.message, error.remedy));
      return;
    }
    if (mine !== asked) return;
    const hadFocus = list.contains(document.activeElement);
    fill(trouble);
    above = found.parent;
    here = found.path;
    if (inside || document.activeElement !== path) told();
    up.disabled = above === null;
    go.disabled = path.value.trim() !== here;
    counts.textContent = t("start_counts", { files: count(found.files), folders: found.folders.length + found.more });
    fill(list, found.folders.map(row), rest(found));
    list.scrollTop = 0;
    if (hadFocus) (list.querySelector("button") ?? path).focus();
    listed(found);
  }

  const row = (folder: Listing["folders"][number]): HTMLElement =>
    h(
      "li",
      {},
      h(
        "button",
        { type: "button", on: { click: () => show(folder.path) } },
        icon("folder"),
        h("span", {}, plain(folder.name)),
      ),
    );

  void show("");
  return h("div", { class: "start-chooser" }, form, trouble, list, h("div", { class: "start-foot" }, counts, go));
}

function rest(found: Listing): HTMLElement | null {
  if (found.more) return h("li", { class: "dim" }, t("start_more", { n: count(found.more) }));
  return found.folders.length ? null : h("li", { class: "dim" }, t("start_none"));
}
