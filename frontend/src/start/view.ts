// What to index: a folder, files to upload, or the samples. Knows its parts; starts nothing itself.
import { fill, h } from "../dom";
import { icon } from "../icons";
import { t } from "../words";
import { chooser } from "./chooser";
import { dropPlace } from "./drop";

const LOCAL = ["localhost", "127.0.0.1", "[::1]"];

/** The start view of an index; `begin` is called with the folder that is to be indexed. */
export function startView(index: string, begin: (folder: string) => void): HTMLElement {
  const samples = h("div", { class: "start-samples" });
  const folders = chooser(begin, (found) => {
    const path = found.samples;
    if (path)
      fill(
        samples,
        offer(() => begin(path)),
      );
  });
  const heading = LOCAL.includes(location.hostname) ? "start_folder" : "start_folder_server";
  return h(
    "div",
    { class: "start" },
    h("section", { class: "panel" }, h("h3", {}, t(heading)), folders),
    h("section", { class: "panel" }, h("h3", {}, t("start_upload")), dropPlace(index, begin)),
    samples,
  );
}

const offer = (go: () => void): HTMLElement =>
  h(
    "p",
    {},
    h("strong", {}, t("start_samples")),
    h("span", { class: "dim" }, t("start_samples_more")),
    h("button", { type: "button", class: "plain", on: { click: go } }, icon("play"), t("start_samples_go")),
  );
