// A dialog in which a part of the query picture is chosen. Knows the picture; searches nothing.
import { round } from "../controls";
import { cropping } from "../crop";
import { h } from "../dom";
import { t } from "../words";

/** Opens it; `chosen` gets the part as a data URL. */
export function choosePart(picture: string, chosen: (part: string) => void): void {
  const image = h("img", { src: picture, alt: t("query_picture") });
  const dialog: HTMLDialogElement = h(
    "dialog",
    { class: "part-dialog", "aria-labelledby": "part-title" },
    h(
      "header",
      {},
      h("h2", { id: "part-title" }, t("crop_title")),
      round("close", "close", () => dialog.close()),
    ),
    h("p", { class: "dim" }, t("crop_how")),
    h("div", { class: "part-picture" }, image),
  );
  const root = h("div", { class: "rag-ui" }, dialog);
  document.body.append(root);
  dialog.addEventListener("close", () => root.remove());
  dialog.showModal();
  cropping(image, (part) => {
    dialog.close();
    chosen(part);
  });
}
