// The viewer beside a list: its value is the hit that is selected there. Loads the rest when there is room and something to show.
// Knows when it is seen; draws nothing of a passage.
import { h } from "../dom";
import type { Drawn, Host } from "../gradio";
import { hidePane, isPaneHidden, isPaneShown, whenPaneChanges } from "../pane_setting";
import type { Opened } from "../types";
import type { Pane } from "./pane";

interface Props {
  value: Opened | null;
}

/** Draws it into `root`. */
export function besideList<P extends Props>(root: HTMLElement, host: Host<P>): Drawn<P> {
  let made: Promise<Pane> | null = null;
  const leaving = new AbortController();
  const { signal } = leaving;
  const frame = h("aside", { class: "pane" });
  root.append(frame);
  const tell = (name: string, detail: unknown = null): boolean =>
    document.dispatchEvent(new CustomEvent(name, { detail }));

  async function loaded(): Promise<Pane> {
    const { pane } = await import("./pane");
    const drawn = pane({
      opened: () => tell("rag:open", host.props.value),
      hidden: () => hidePane(true),
      left: (id) => tell("rag:closed", id),
      alike: (id, index, less) => host.dispatch("like", { id, index, less }),
      searched: (picture) => tell("rag:picture", picture),
    });
    frame.append(drawn.element);
    return drawn;
  }
  async function show(): Promise<void> {
    frame.hidden = isPaneHidden();
    if (!isPaneShown() || (!host.props.value && !made)) return;
    made ??= loaded();
    const view = await made;
    const { value } = host.props; // the last one, if several came meanwhile
    if (value) view.show(value);
    else view.clear();
    frame.classList.toggle("is-empty", !value);
  }
  whenPaneChanges(show, signal);
  show();
  return {
    changed: (names) => {
      if (names.has("value")) show();
    },
    removed: () => leaving.abort(),
  };
}
