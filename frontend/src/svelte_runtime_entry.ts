// What Gradio imports to mount a custom component. Components built with Svelte bring Svelte's; ours need no framework.
// Knows the two functions that Gradio calls.
import type { Given, Mountable, Mounted } from "./gradio";

/** Draws a component into `target`. */
export function mount(made: Mountable, { target, props }: { target: HTMLElement; props: Given }): Mounted {
  return made(target, props);
}

/** Removes what `mount` drew. */
export function unmount(mounted: Mounted): void {
  mounted.destroy();
}
