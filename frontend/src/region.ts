// The outline of a match on a picture. Knows rectangles in 0…1 of it.
import { h } from "./dom";
import type { Region } from "./server";

/** An outline, to be put over the picture. */
export function outlined({ x, y, width, height, words }: Region): HTMLElement {
  const percent = (part: number): string => `${part * 100}%`;
  const style = { left: percent(x), top: percent(y), width: percent(width), height: percent(height) };
  return h("span", { class: "region", title: words, style });
}
