// Which hit is shown beside the list: the one a person selects, first the best one. Knows hits; draws nothing of them.
import { round } from "../controls";
import type { Host } from "../gradio";
import { hidePane, isPaneHidden, isPaneShown, whenPaneChanges } from "../pane_setting";
import type { Found, Hit } from "../types";
import { listed } from "./order";

const PAUSE = 90; // milliseconds that a person must stay on a hit: holding an arrow key loads nothing on the way

interface Props {
  value: Found | null;
  previews?: boolean; // whether a viewer stands beside the list
}

export interface Preview {
  /** The button that shows it again, hidden while it is there. */
  element: HTMLElement;
  /** Whether selecting a hit shows it beside the list, so that opening it is another step. */
  isOn(): boolean;
  /** A person selected a hit. */
  select(hit: Hit): void;
  /** The hits on the page: of another query the first one is shown. */
  offer(hits: Hit[]): void;
  clear(): void;
}

/** `mark` is told the id of the hit that is shown, "" for none. */
export function previewOf<P extends Props>(host: Host<P>, mark: (id: string) => void, signal: AbortSignal): Preview {
  let shown: Hit | null = null;
  let number = -1; // of the query that it belongs to
  let waiting = 0;
  const element = round("pane", "show_pane", () => hidePane(false), "show-pane");

  const isOn = (): boolean => Boolean(host.props.previews) && isPaneShown();
  const query = (): Found["query"] | null => host.props.value?.query ?? null;

  function show(hit: Hit | null): void {
    clearTimeout(waiting);
    shown = hit;
    number = query()?.number ?? -1;
    mark(hit && isOn() ? hit.id : "");
    if (!isOn()) return;
    const value = hit && {
      id: hit.id,
      index: hit.index,
      alike: false,
      words: query()?.words ?? "",
      hits: [listed(hit)],
    };
    host.dispatch("preview", value);
  }
  function select(hit: Hit): void {
    if (hit.id === shown?.id && number === query()?.number) return;
    mark(isOn() ? hit.id : "");
    clearTimeout(waiting);
    waiting = window.setTimeout(() => show(hit), PAUSE);
  }
  function offer(hits: Hit[]): void {
    if (number !== query()?.number || !hits.length) show(hits[0] ?? null);
  }
  function clear(): void {
    if (shown) show(null);
  }
  function changed(): void {
    element.hidden = !host.props.previews || !isPaneHidden();
    show(shown);
  }
  element.hidden = !host.props.previews || !isPaneHidden();
  whenPaneChanges(changed, signal);
  return { element, isOn, select, offer, clear };
}
