// The contract of a custom component with Gradio: properties in, events out, values read on demand.
// Knows what Gradio passes to a component that it mounts; knows no component of ours.

/** What Gradio's own part of the page passes to every component. */
export interface Shared {
  id: number;
  elem_id?: string;
  elem_classes?: string[];
  visible?: boolean | "hidden";
  loading_status?: { status?: string };
  dispatcher?: (id: number, event: string, detail?: unknown) => void;
  register_component?: (
    id: number,
    set: (changed: Record<string, unknown>) => void,
    get: () => Promise<Record<string, unknown>>,
  ) => void;
  unregister_component?: (id: number, set?: (changed: Record<string, unknown>) => void) => void;
}

export interface Given {
  shared_props: Shared;
  props: Record<string, unknown>;
}

/** One component on the page: its properties, its events. */
export interface Host<Props> {
  /** The properties as Gradio last set them, or as `set` changed them. */
  readonly props: Props;
  /** Whether an event that this component is an output of is under way. */
  pending(): boolean;
  /** Whether the last such event failed: errors of our own are values, so the server did not answer. */
  isLost(): boolean;
  /** Changes properties from inside, so that Gradio reads them as inputs of the next event. */
  set(changed: Partial<Props>): void;
  /** Triggers an event of the Python class. */
  dispatch(event: string, detail?: unknown): void;
}

/** What a component draws into `root`, and what it does when Gradio changes its properties or removes it. */
export interface Drawn<Props> {
  changed(names: ReadonlySet<string>, props: Props): void;
  removed?(): void;
}

export interface Mounted {
  destroy(): void;
}

export type Mountable = (target: HTMLElement, given: Given) => Mounted;

const SHARED = new Set(["elem_id", "elem_classes", "visible", "loading_status", "id"]);
const SETTLED_AFTER = new Set(["complete", "error", undefined]);

/** A component as Gradio mounts it. `draw` gets an element of its own, which carries `elem_id` and `elem_classes`. */
export function component<Props extends object>(
  draw: (root: HTMLElement, host: Host<Props>) => Drawn<Props>,
): Mountable {
  return (target, given) => {
    const shared: Shared = { ...given.shared_props };
    const props = { ...given.props } as Props;
    const root = document.createElement("div");
    target.append(root);
    dress(root, shared);
    const host: Host<Props> = {
      props,
      pending: () => !SETTLED_AFTER.has(shared.loading_status?.status),
      isLost: () => shared.loading_status?.status === "error",
      set: (changed) => void Object.assign(props, changed),
      dispatch: (event, detail) => shared.dispatcher?.(shared.id, event, detail ?? null),
    };
    let drawn: Drawn<Props> | null = null;
    const set = (changed: Record<string, unknown>): void => {
      const names = new Set<string>();
      for (const [name, value] of Object.entries(changed)) {
        Object.assign(SHARED.has(name) ? shared : props, { [name]: value });
        names.add(name);
      }
      dress(root, shared);
      drawn?.changed(names, props);
    };
    // Before drawing: a component may trigger an event at once, and Gradio then reads its value.
    shared.register_component?.(shared.id, set, async () => ({ ...props }) as Record<string, unknown>);
    drawn = draw(root, host);
    return {
      destroy() {
        shared.unregister_component?.(shared.id, set);
        drawn?.removed?.();
        root.remove();
      },
    };
  };
}

/** Sets what Python gave for the element: its id, its classes, whether it is seen. */
function dress(root: HTMLElement, shared: Shared): void {
  root.id = shared.elem_id ?? "";
  root.className = ["rag-ui", ...(shared.elem_classes ?? [])].join(" ");
  root.hidden = shared.visible === false || shared.visible === "hidden";
}
