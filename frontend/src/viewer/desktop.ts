// Opening a file in its application, or showing it in its folder, where the server runs on the person's own desktop.
// Knows the routes for it; draws two buttons.
import { h } from "../dom";
import { said } from "../said";
import { ask, isAbort, Refusal } from "../server";
import { t } from "../words";
import { telling } from "./copies";

let opens: Promise<boolean> | null = null;

/** Whether this visitor may: asked once for a page. */
function mayOpen(): Promise<boolean> {
  opens ??= ask<{ opens: boolean }>("/v1/access").then(
    (access) => access.opens,
    () => false,
  );
  return opens;
}

/** The buttons, which come when the server says that they do something. */
export function desktopActions(id: string, index: string): HTMLElement {
  const place = h("span", { class: "desktop-actions" });
  const act = async (what: "open" | "reveal"): Promise<string> => {
    try {
      const { did } = await ask<{ did: string }>(`/v1/desktop/${what}`, undefined, { id, index });
      return t(did === "open" ? "opened" : "revealed");
    } catch (error) {
      if (error instanceof Refusal && !isAbort(error)) return said(error.message);
      throw error;
    }
  };
  void mayOpen().then((may) => {
    if (!may) return;
    place.append(
      telling("screenshot", "open_app", () => act("open")),
      telling("folder", "reveal", () => act("reveal")),
    );
  });
  return place;
}
