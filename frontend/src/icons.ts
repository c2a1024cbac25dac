// The line drawings of buttons and kinds. Knows shapes.

const SHAPES = {
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13M15.3 15.3 20 20",
  picture: "M4 5.5h16v13H4zM4 15.5l4.5-4.5 4 4 2.5-2.5 5 5M15.5 9.2a.6.6 0 1 0 .1 0",
  close: "M6 6l12 12M18 6 6 18",
  folder: "M3.5 6.5h6l2 2h9v10h-17z",
  calendar: "M4.5 6.5h15v13h-15zM4.5 10.5h15M8.5 4v4M15.5 4v4",
  sort: "M7 5v14M7 19l-3-3M7 19l3-3M14 7h6M14 12h4.5M14 17h3",
  stack: "M12 4 3.5 8.5 12 13l8.5-4.5zM4 12.5l8 4.3 8-4.3M4 16.3l8 4.2 8-4.2",
  sun: "M12 8.2a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.6M12 2.8v2M12 19.2v2M2.8 12h2M19.2 12h2M5.5 5.5l1.4 1.4M17.1 17.1l1.4 1.4M5.5 18.5l1.4-1.4M17.1 6.9l1.4-1.4",
  moon: "M19.5 14.2A8 8 0 0 1 9.8 4.5a8 8 0 1 0 9.7 9.7z",
  half: "M12 3.8a8.2 8.2 0 1 0 0 16.4 8.2 8.2 0 0 0 0-16.4zM12 3.8v16.4M15 5v14M18 7v10",
  help: "M12 3.8a8.2 8.2 0 1 0 0 16.4 8.2 8.2 0 0 0 0-16.4zM9.6 9.6a2.4 2.4 0 1 1 3.4 2.2c-.7.4-1 .8-1 1.7M12 16.6v.1",
  left: "M14.5 5.5 8 12l6.5 6.5",
  right: "M9.5 5.5 16 12l-6.5 6.5",
  up: "M12 19V5.5M6 11.5 12 5.5l6 6",
  stop: "M7 7h10v10H7z",
  down: "M6.5 9.5 12 15l5.5-5.5",
  copy: "M9 9h10.5v10.5H9zM5 15H4.5V4.5H15V5",
  download: "M12 4v11M7.5 11 12 15.5 16.5 11M5 19.5h14",
  alike: "M8 5a4 4 0 1 0 0 8 4 4 0 0 0 0-8M16 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8",
  unlike: "M8 5a4 4 0 1 0 0 8 4 4 0 0 0 0-8M14 16h6",
  clip: "M6.5 8.7a2.2 2.2 0 1 0 0-.1M6.5 15.4a2.2 2.2 0 1 0 0-.1M10.5 8.2 20 16M10.5 15.2 20 8",
  plus: "M12 5.5v13M5.5 12h13",
  minus: "M5.5 12h13",
  fit: "M4.5 9v-4.5H9M15 4.5h4.5V9M19.5 15v4.5H15M9 19.5H4.5V15",
  play: "M8 5.5v13l10.5-6.5z",
  text: "M5 6.5h14M5 10.5h14M5 14.5h14M5 18.5h8",
  page: "M6.5 3.5h8l4 4v13h-12zM14 4v4h4",
  image: "M4 5.5h16v13H4zM4 15.5l4.5-4.5 4 4 2.5-2.5 5 5",
  screenshot: "M3.5 5h17v11.5h-17zM9 20h6M12 16.5V20",
  frame: "M4 5.5h16v13H4zM10 9.3v5.4l4.6-2.7z",
  warning: "M12 4.5 3.5 19.5h17zM12 10v4.5M12 16.9v.1",
  crop: "M7 3v14h14M3 7h14v14",
  star: "M12 4l2.5 5.2 5.5.8-4 4 1 5.7-5-2.7-5 2.7 1-5.7-4-4 5.5-.8z",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16M12 7.5V12l3 2",
  good: "M7.5 11v8.5H4V11zM7.5 11l3.5-7a2 2 0 0 1 2 2v3.5h5.5a1.5 1.5 0 0 1 1.5 1.8l-1.3 6.7a1.5 1.5 0 0 1-1.5 1.5H7.5",
  bad: "M7.5 13V4.5H4V13zM7.5 13l3.5 7a2 2 0 0 0 2-2v-3.5h5.5a1.5 1.5 0 0 0 1.5-1.8l-1.3-6.7a1.5 1.5 0 0 0-1.5-1.5H7.5",
  pane: "M4 5.5h16v13H4zM14 5.5v13",
  check: "M5 12.5 10 17.5 19 7",
} as const;

export type IconName = keyof typeof SHAPES;

const SVG = "http://www.w3.org/2000/svg";

/** A line drawing of 24 × 24 units, hidden from screen readers: its button has a label. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}
