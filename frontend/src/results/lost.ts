// A server that does not answer: says so, dims what was found, and asks again when the server is back. Knows the list; draws no hit.
import { notice } from "../controls";
import { fill } from "../dom";
import type { Host } from "../gradio";
import { t } from "../words";

const PATIENCE = 1500; // milliseconds until a query is shown as pending or answered
const RECONNECT = 2000; // milliseconds between two looks whether the server is back

export interface LostServer {
  /** Shows that the server is gone, until it is back. */
  lost(): void;
  /** A query was made: if nothing comes of it, the server may be gone. `answered` is the number of the last query that was answered. */
  doubt(answered: () => number): void;
}

/** Watches over the list `view`, with the place `trouble` for what is said. */
export function lostServer<Props>(
  view: HTMLElement,
  trouble: HTMLElement,
  host: Host<Props>,
  signal: AbortSignal,
): LostServer {
  function lost(): void {
    if (view.classList.contains("is-stale")) return;
    view.classList.add("is-stale");
    view.classList.remove("at-rest", "is-searching");
    fill(trouble, notice(t("error_down", { address: location.origin }), t("error_down_more")));
    const look = async (): Promise<void> => {
      if (!(await isUp())) return;
      clearInterval(waiting);
      view.classList.remove("is-stale");
      fill(trouble);
      host.dispatch("retry");
    };
    const waiting = window.setInterval(look, RECONNECT);
    signal.addEventListener("abort", () => clearInterval(waiting));
  }
  function doubt(answered: () => number): void {
    const before = answered();
    setTimeout(async () => {
      if (answered() === before && !host.pending() && !(await isUp())) lost();
    }, PATIENCE);
  }
  return { lost, doubt };
}

/** Whether the server answers. */
async function isUp(): Promise<boolean> {
  const answer = await fetch("/healthz").catch(() => null);
  return answer?.ok ?? false;
}
