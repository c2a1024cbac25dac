// A picture or page to zoom and drag, with the matches outlined. Knows pixels and pointers; knows no server.
import { round } from "../controls";
import { cropping } from "../crop";
import { fill, h } from "../dom";
import { outlined } from "../region";
import type { Passage, Region } from "../server";
import { t } from "../words";

const MOST = 12; // zoom; 1 shows the whole picture
const SHARPER = 1.4; // from this zoom on the full picture is loaded
const PAN = 80; // pixels for one arrow key

export interface Stage {
  element: HTMLElement;
  /** Outlines the matches, rectangles in 0…1 of the picture. */
  outline(regions: Region[]): void;
  /** Says that the matches are being looked for. */
  coming(): void;
  /** Zooms or pans for a key; false if the key does nothing here. */
  key(name: string): boolean;
  isZoomed(): boolean;
  /** Lets a person choose a part of the picture; `chosen` gets it as a data URL. */
  crop(chosen: (picture: string) => void): void;
}

interface Point {
  x: number;
  y: number;
}

/** The picture of a passage: `view` is shown at once, `full` after zooming in. */
export function stage(passage: Passage, view: string, full: string): Stage {
  let [scale, x, y] = [1, 0, 0];
  let grabbed: Point = { x: 0, y: 0 };
  const pointers = new Map<number, PointerEvent>();
  const image = h("img", {
    src: view,
    alt: passage.caption || passage.text.slice(0, 300) || passage.document,
    draggable: "false",
  });
  const sheet = h("div", { class: "sheet" }, image);
  const note = h("span", { class: "stage-note", role: "status" });
  const pane = h("div", { class: "stage", tabindex: "0", "aria-label": passage.document, role: "group" }, sheet);
  const tools = h(
    "div",
    { class: "stage-tools" },
    note,
    round("minus", "zoom_out", () => zoom(1 / 1.5)),
    round("fit", "fit", () => fit()),
    round("plus", "zoom_in", () => zoom(1.5)),
  );
  image.addEventListener("error", () => fill(pane, h("p", { class: "stage-none" }, t("no_picture"))), { once: true });

  function draw(): void {
    const reachX = Math.max(0, (sheet.offsetWidth * scale - pane.clientWidth) / 2);
    const reachY = Math.max(0, (sheet.offsetHeight * scale - pane.clientHeight) / 2);
    x = Math.min(reachX, Math.max(-reachX, x));
    y = Math.min(reachY, Math.max(-reachY, y));
    sheet.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    pane.classList.toggle("is-zoomed", scale > 1);
    if (scale >= SHARPER && image.getAttribute("src") !== full) sharpen();
  }
  function sharpen(): void {
    const sharp = new Image();
    sharp.onload = () => image.setAttribute("src", full);
    sharp.src = full;
  }
  /** Zooms around a point, measured from the middle of the pane; by default the middle. */
  function zoom(by: number, around: Point = { x: 0, y: 0 }): void {
    const to = Math.min(MOST, Math.max(1, scale * by));
    x = around.x - ((around.x - x) * to) / scale;
    y = around.y - ((around.y - y) * to) / scale;
    scale = to;
    draw();
  }
  function fit(): void {
    [scale, x, y] = [1, 0, 0];
    draw();
  }
  function pan(byX: number, byY: number): void {
    x += byX;
    y += byY;
    draw();
  }
  const middle = (event: MouseEvent): Point => {
    const box = pane.getBoundingClientRect();
    return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
  };
  pane.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), middle(event));
    },
    { passive: false },
  );
  pane.addEventListener("dblclick", (event) => (scale > 1 ? fit() : zoom(2.5, middle(event))));
  pane.addEventListener("pointerdown", (event) => {
    pane.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event);
    grabbed = { x: event.clientX - x, y: event.clientY - y };
  });
  pane.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = spread(pointers);
    pointers.set(event.pointerId, event);
    if (pointers.size === 2) zoom(spread(pointers) / before);
    else if (scale > 1) pan(event.clientX - grabbed.x - x, event.clientY - grabbed.y - y);
  });
  for (const name of ["pointerup", "pointercancel"] as const) {
    pane.addEventListener(name, (event) => pointers.delete(event.pointerId));
  }

  function key(name: string): boolean {
    const zooming = ({ "+": 1.5, "=": 1.5, "-": 1 / 1.5 } as Record<string, number>)[name];
    const panning = (
      { ArrowLeft: [PAN, 0], ArrowRight: [-PAN, 0], ArrowUp: [0, PAN], ArrowDown: [0, -PAN] } as Record<
        string,
        [number, number]
      >
    )[name];
    if (zooming) zoom(zooming);
    else if (name === "0") fit();
    else if (panning && scale > 1) pan(...panning);
    else return false;
    return true;
  }
  function outline(regions: Region[]): void {
    for (const old of sheet.querySelectorAll(".region")) old.remove();
    sheet.append(...regions.map(outlined));
    note.classList.remove("is-coming");
    note.textContent = regions.length ? t("regions", { n: regions.length }) : "";
  }
  function coming(): void {
    note.classList.add("is-coming");
    note.textContent = t("regions_coming");
  }
  function crop(chosen: (picture: string) => void): void {
    if (sheet.querySelector(".crop")) return;
    fit();
    cropping(image, chosen);
  }
  outline(passage.regions);
  const element = h("div", { class: "stage-frame" }, pane, tools);
  return { element, outline, coming, key, crop, isZoomed: () => scale > 1 };
}

/** The distance of two fingers in pixels, 1 of fewer. */
function spread(pointers: Map<number, PointerEvent>): number {
  const [a, b] = [...pointers.values()];
  return a && b ? Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) || 1 : 1;
}
