// A window without a browser for the unit tests: what components need of one. Import it before anything that touches the document.
import { Window } from "happy-dom";

const window = new Window({ url: "http://localhost:7860/" });
const given = window as unknown as Record<string, unknown>;
const NAMES = [
  "document",
  "location",
  "history",
  "localStorage",
  "sessionStorage",
  "Node",
  "Element",
  "HTMLElement",
  "CustomEvent",
  "KeyboardEvent",
  "MouseEvent",
  "CSS",
  "IntersectionObserver",
  "ResizeObserver",
  "matchMedia",
  "addEventListener",
  "innerHeight",
  "requestAnimationFrame",
  "getComputedStyle",
];
Object.defineProperty(globalThis, "window", { value: window, configurable: true });
for (const name of NAMES) {
  const value = given[name];
  const bound = typeof value === "function" && /^[a-z]/.test(name) ? value.bind(window) : value;
  Object.defineProperty(globalThis, name, { value: bound, configurable: true, writable: true });
}
Object.defineProperty(globalThis, "navigator", { value: { language: "en-GB" }, configurable: true });

/** Goes to an address without loading anything. */
export function visit(path: string): void {
  window.happyDOM.setURL(`http://localhost:7860${path}`);
}

/** What Gradio passes to a component, and the events that the component triggers. */
export function gradio(props: Record<string, unknown>) {
  const events: [string, unknown][] = [];
  let set: (changed: Record<string, unknown>) => void = () => {};
  let get: () => Promise<Record<string, unknown>> = async () => ({});
  const given = {
    shared_props: {
      id: 7,
      elem_id: "mine",
      dispatcher: (_id: number, event: string, detail: unknown) => void events.push([event, detail]),
      register_component: (_id: number, setter: typeof set, getter: typeof get) => {
        [set, get] = [setter, getter];
      },
      unregister_component: () => void events.push(["gone", null]),
    },
    props,
  };
  return {
    given,
    events,
    set: (changed: Record<string, unknown>) => set(changed),
    get: () => get(),
  };
}
