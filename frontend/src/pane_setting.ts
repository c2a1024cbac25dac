// Whether a hit is shown beside the list: where the window is wide, unless the person hid it in this browser. Knows no hit.

const HIDDEN = "rag.pane";
const WIDE = "(min-width: 1200px)"; // as in viewer.css and page.css

export const isPaneHidden = (): boolean => localStorage.getItem(HIDDEN) === "hidden";

/** Whether there is room for it, and nobody hid it. */
export const isPaneShown = (): boolean => matchMedia(WIDE).matches && !isPaneHidden();

/** Hides it in this browser, or shows it again. */
export function hidePane(isHidden: boolean): void {
  if (isHidden) localStorage.setItem(HIDDEN, "hidden");
  else localStorage.removeItem(HIDDEN);
  document.dispatchEvent(new CustomEvent("rag:pane"));
}

/** Calls `changed` whenever that may be different. */
export function whenPaneChanges(changed: () => void, signal: AbortSignal): void {
  document.addEventListener("rag:pane", changed, { signal });
  matchMedia(WIDE).addEventListener("change", changed, { signal });
}
