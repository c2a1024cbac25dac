// Uploading: a place to drop files or a folder, and how far it is. Knows requests; starts nothing itself.
import { notice } from "../controls";
import { fill, h } from "../dom";
import { icon } from "../icons";
import { bytes, count, plain } from "../places";
import { said } from "../said";
import { Refusal } from "../server";
import { t, type Word } from "../words";
import { chosen, dropped, type Given, kept } from "./given";
import { upload } from "./requests";

const AT_ONCE = 3; // files on their way
const SHOWN = 20; // of those that were not kept

interface Refused {
  name: string;
  why: string;
}

/** The place for uploads to an index; `begin` is called with their folder when all have arrived. */
export function dropPlace(index: string, begin: (folder: string) => void): HTMLElement {
  const state = h("div", { class: "start-state" });
  const place = h(
    "div",
    { class: "start-drop", "data-drop": "" },
    icon("download"),
    h("strong", {}, t("start_drop")),
    h(
      "div",
      { class: "start-buttons" },
      field("start_choose_files", { multiple: true }, take),
      field("start_choose_folder", { webkitdirectory: true }, take),
    ),
    h("p", { class: "dim" }, t("start_kept")),
    state,
  );
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("is-over");
  });
  place.addEventListener("dragleave", () => place.classList.remove("is-over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("is-over");
    if (event.dataTransfer) void dropped(event.dataTransfer).then(take);
  });
  let busy = false;

  async function take(given: Given[]): Promise<void> {
    if (busy) return;
    const all = kept(given);
    if (!all.length) {
      fill(state, notice(t("upload_nothing"), ""));
      return;
    }
    busy = true;
    const { folder, refused } = await send(all, index, state);
    busy = false;
    fill(state, refused.length ? left(refused) : null);
    if (folder) begin(folder);
  }
  return place;
}

/** Sends all, some at a time, and shows how far it is; stopped, those that have arrived stay. */
async function send(all: Given[], index: string, state: HTMLElement): Promise<{ folder: string; refused: Refused[] }> {
  const stopping = new AbortController();
  const total = all.reduce((sum, { file }) => sum + file.size, 0);
  const sent = new Map<Given, number>();
  const refused: Refused[] = [];
  let done = 0;
  let folder = "";
  const words = h("span", { class: "dim", role: "status" });
  const bar = h("progress", { max: total, value: 0, "aria-label": t("start_upload") });
  const stop = h("button", { type: "button", class: "plain", on: { click: () => stopping.abort() } }, t("stop"));
  fill(state, h("div", { class: "start-sending" }, words, stop), bar);
  const tell = (): void => {
    const arrived = [...sent.values()].reduce((sum, n) => sum + n, 0);
    bar.value = arrived;
    words.textContent = t("uploading", {
      done: count(done),
      total: count(all.length),
      bytes: bytes(arrived),
      all: bytes(total),
    });
  };
  const waiting = [...all];
  async function work(): Promise<void> {
    for (let one = waiting.shift(); one && !stopping.signal.aborted; one = waiting.shift()) {
      const given = one;
      const note = (n: number): void => {
        sent.set(given, Math.min(n, given.file.size));
        tell();
      };
      try {
        folder = (await upload(given.file, given.name, index, note, stopping.signal)).folder;
      } catch (error) {
        refused.push({
          name: given.name,
          why: error instanceof Refusal ? `${said(error.message)}. ${said(error.remedy)}` : "",
        });
      }
      done += 1;
      note(given.file.size);
    }
  }
  tell();
  const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener("abort", () => resolve()));
  await Promise.race([Promise.all(Array.from({ length: AT_ONCE }, work)), stopped]);
  return { folder, refused };
}

function field(words: Word, how: Record<string, boolean>, take: (given: Given[]) => void): HTMLElement {
  const input: HTMLInputElement = h("input", {
    type: "file",
    class: "sr-only",
    tabindex: "-1",
    "aria-label": t(words),
    ...how,
    on: {
      change: () => {
        take(chosen(input.files ?? []));
        input.value = "";
      },
    },
  });
  return h(
    "span",
    {},
    h("button", { type: "button", class: "plain", on: { click: () => input.click() } }, t(words)),
    input,
  );
}

/** Which files were not kept, and why. */
function left(refused: Refused[]): HTMLElement {
  const row = ({ name, why }: Refused): HTMLElement => h("li", {}, h("strong", {}, plain(name)), ` ${why}`);
  return h(
    "details",
    { class: "start-left", open: true },
    h("summary", {}, t("upload_failed", { n: refused.length })),
    h("ul", {}, refused.slice(0, SHOWN).map(row)),
  );
}
