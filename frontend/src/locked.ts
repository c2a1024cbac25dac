// What a visitor without the key of this server is told instead of the controls that need it. Knows the form that the server takes.
import { h } from "./dom";
import { icon } from "./icons";
import { t } from "./words";

/** Why there are no controls, and a form for the key, which leads back to this tab. */
export function locked(): HTMLElement {
  const tab = new URLSearchParams(location.search).get("tab");
  return h(
    "form",
    { class: "locked", action: "/", method: "get" },
    icon("warning"),
    h("div", {}, h("strong", {}, t("locked")), h("p", { class: "dim" }, t("locked_more"))),
    h(
      "span",
      { class: "start-form" },
      h("input", {
        type: "password",
        name: "token",
        class: "start-path",
        "aria-label": t("key"),
        placeholder: t("key"),
        autocomplete: "off",
        required: true,
      }),
      tab ? h("input", { type: "hidden", name: "tab", value: tab }) : null,
      h("button", { type: "submit", class: "plain" }, t("unlock")),
    ),
  );
}
