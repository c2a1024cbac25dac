// The viewer: its value is what is opened, over the page or beside a list; it says when it is closed, turned to another hit, or
// asked for more like it. Knows the address and when to load the rest; draws nothing itself.
import * as address from "../address";
import { component, type Drawn, type Host } from "../gradio";
import type { Opened } from "../types";
import { besideList } from "./beside";
import type { Dialog } from "./dialog";

interface Props {
  value: Opened | null;
  beside?: boolean; // beside a list, and not over the page
}

export default component<Props>((root, host) => (host.props.beside ? besideList(root, host) : overPage(root, host)));

function overPage(root: HTMLElement, host: Host<Props>): Drawn<Props> {
  let made: Promise<Dialog> | null = null; // loaded when it is first opened
  let pushed = 0; // steps of the history that opening added
  const leaving = new AbortController();

  async function loaded(): Promise<Dialog> {
    const { dialog } = await import("./dialog");
    const drawn = dialog({ closed, turned, alike, searched });
    root.append(drawn.element);
    return drawn;
  }
  const viewer = (): Promise<Dialog> => {
    made ??= loaded();
    return made;
  };

  async function open(what: Opened): Promise<void> {
    const place = address.read();
    if (place.open !== what.id) {
      address.push({ ...place, open: what.id });
      pushed += 1;
    }
    (await viewer()).open(what);
  }

  /** A person closed it: the step that opened it is taken back, so that Back never opens it again. */
  function closed(id: string): void {
    host.set({ value: null });
    if (pushed > 0) {
      pushed = 0;
      history.back();
    } else address.replace({ ...address.read(), open: "" });
    document.dispatchEvent(new CustomEvent("rag:closed", { detail: id }));
    host.dispatch("close");
  }

  function turned(hit: { id: string }): void {
    address.replace({ ...address.read(), open: hit.id });
    if (host.props.value) host.set({ value: { ...host.props.value, id: hit.id } });
    host.dispatch("change");
  }

  function alike(id: string, index: string, less: boolean): void {
    pushed = 0;
    host.set({ value: null });
    host.dispatch("like", { id, index, less });
  }

  function searched(picture: string): void {
    pushed = 0;
    host.set({ value: null });
    document.dispatchEvent(new CustomEvent("rag:picture", { detail: picture }));
  }

  addEventListener(
    "popstate",
    async () => {
      if (address.read().open || !made) return;
      pushed = 0;
      (await made).close();
    },
    { signal: leaving.signal },
  );
  if (host.props.value) open(host.props.value);
  return {
    async changed(names) {
      if (!names.has("value")) return;
      const { value } = host.props;
      if (value) await open(value);
      else if (made) (await made).close();
    },
    removed: () => leaving.abort(),
  };
}
