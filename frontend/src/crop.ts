// Choosing a part of a picture: with the pointer, or with arrow keys. Knows pixels; searches nothing.
import { h } from "./dom";
import { t } from "./words";

const LEAST = 12; // pixels of a side: less is a slip of the hand
const STEP = 0.02; // of the picture, for one arrow key
const EDGE = 1280; // pixels of the longer side of the part: more than models use

/** A part of a picture, in 0…1 of its sides. */
export interface Part {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Lays a rectangle over a picture; `chosen` gets the part as a data URL when it is drawn, or on Enter. Esc gives it up. */
export function cropping(image: HTMLImageElement, chosen: (picture: string) => void): HTMLElement {
  let part: Part = { x: 0.25, y: 0.25, width: 0.5, height: 0.5 };
  let from: { x: number; y: number } | null = null;
  const frame = h("span", { class: "crop-frame" });
  const layer = h("div", { class: "crop", tabindex: "0", role: "application", "aria-label": t("crop_how") }, frame);
  const draw = (): void => {
    for (const [name, value] of Object.entries({
      left: part.x,
      top: part.y,
      width: part.width,
      height: part.height,
    })) {
      frame.style.setProperty(name, `${value * 100}%`);
    }
  };
  const place = (event: PointerEvent): { x: number; y: number } => {
    const box = layer.getBoundingClientRect();
    const inside = (at: number, size: number): number => Math.min(1, Math.max(0, at / size));
    return { x: inside(event.clientX - box.left, box.width), y: inside(event.clientY - box.top, box.height) };
  };
  const stop = (event: Event): void => {
    event.preventDefault();
    event.stopPropagation();
  };
  function end(): void {
    layer.remove();
  }
  function choose(): void {
    chosen(cut(image, part));
    end();
  }
  layer.addEventListener("pointerdown", (event) => {
    stop(event);
    layer.setPointerCapture(event.pointerId);
    layer.focus();
    from = place(event);
  });
  layer.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = place(event);
    part = {
      x: Math.min(from.x, to.x),
      y: Math.min(from.y, to.y),
      width: Math.abs(from.x - to.x),
      height: Math.abs(from.y - to.y),
    };
    draw();
  });
  layer.addEventListener("pointerup", (event) => {
    stop(event);
    from = null;
    const { width, height } = layer.getBoundingClientRect();
    if (part.width * width >= LEAST && part.height * height >= LEAST) choose();
  });
  layer.addEventListener("keydown", (event) => {
    if (event.key === "Tab") return;
    stop(event);
    if (event.key === "Enter") choose();
    else if (event.key === "Escape") end();
    else {
      part = moved(part, event.key, event.shiftKey);
      draw();
    }
  });
  draw();
  image.after(layer);
  layer.focus();
  return layer;
}

/** The part after an arrow key: moved, or with `resizing` larger or smaller; always inside the picture. */
export function moved(part: Part, key: string, resizing: boolean): Part {
  const [byX, byY] = ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] } as const)[
    key as "ArrowLeft"
  ] ?? [0, 0];
  const within = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));
  if (resizing) {
    const width = within(part.width + byX * STEP, 0.05, 1 - part.x);
    return { ...part, width, height: within(part.height + byY * STEP, 0.05, 1 - part.y) };
  }
  const x = within(part.x + byX * STEP, 0, 1 - part.width);
  return { ...part, x, y: within(part.y + byY * STEP, 0, 1 - part.height) };
}

/** The part as a JPEG, scaled down if need be. */
function cut(image: HTMLImageElement, part: Part): string {
  const [left, top] = [part.x * image.naturalWidth, part.y * image.naturalHeight];
  const [width, height] = [part.width * image.naturalWidth, part.height * image.naturalHeight];
  const scale = Math.min(1, EDGE / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const brush = canvas.getContext("2d") as CanvasRenderingContext2D;
  brush.fillStyle = "#fff"; // JPEG has no transparency
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.drawImage(image, left, top, width, height, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.9);
}
