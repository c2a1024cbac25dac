// Query pictures: scaled down in the browser, kept for this tab. Knows files and canvases; knows no search.
import { bytes, count } from "./places";
import { Refusal } from "./server";
import { t } from "./words";

const EDGE = 1280; // pixels of the longer side: more than models use
const MOST_BYTES = 50 * 2 ** 20; // decoding more would freeze the browser for seconds
const MOST_PIXELS = 100_000_000; // 400 MB when decoded
const MOST_KEPT = 12; // pictures of one tab
export const MOST = 5; // pictures of one query, as the server takes
const KEPT = "rag.picture.";

/** A data URL of a JPEG with sides of at most EDGE. Throws Refusal if the file is not a picture or too large. */
export async function shrunk(file: File): Promise<string> {
  if (file.size > MOST_BYTES) {
    throw new Refusal(t("error_picture_large", { size: bytes(file.size) }), t("error_picture_large_more"), "picture");
  }
  const [width, height] = await sizeOf(file);
  if (width * height > MOST_PIXELS) {
    const what = t("error_picture_pixels", { width: count(width), height: count(height) });
    throw new Refusal(what, t("error_picture_pixels_more", { most: count(MOST_PIXELS) }), "picture");
  }
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Refusal(t("error_picture", { name: file.name }), t("error_picture_more"), "picture");
  }
  const scale = Math.min(1, EDGE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const brush = canvas.getContext("2d") as CanvasRenderingContext2D;
  brush.fillStyle = "#fff"; // JPEG has no transparency
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.toDataURL("image/jpeg", 0.9);
}

/** Width and height from the header of a PNG, GIF, WebP or JPEG, without decoding it; [0, 0] for other files. */
export async function sizeOf(file: Blob): Promise<[number, number]> {
  const head = new DataView(await file.slice(0, 2 ** 18).arrayBuffer());
  if (head.byteLength < 4) return [0, 0];
  if (head.getUint16(0) === 0xffd8) return sizeOfJpeg(head);
  if (head.byteLength < 30) return [0, 0];
  if (head.getUint32(0) === 0x89504e47) return [head.getUint32(16), head.getUint32(20)];
  if (head.getUint32(0) === 0x47494638) return [head.getUint16(6, true), head.getUint16(8, true)];
  if (head.getUint32(0) === 0x52494646 && head.getUint32(12) === 0x56503858) {
    return [1 + (head.getUint32(24, true) & 0xffffff), 1 + (head.getUint32(26, true) >>> 8)];
  }
  return [0, 0];
}

function sizeOfJpeg(head: DataView): [number, number] {
  for (let at = 2; at + 9 < head.byteLength && head.getUint8(at) === 0xff; at += 2 + head.getUint16(at + 2)) {
    const marker = head.getUint8(at + 1);
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [head.getUint16(at + 7), head.getUint16(at + 5)];
  }
  return [0, 0];
}

/** Keeps a picture for this tab, under a short name for the address. The oldest make room for it, but not those `held`. */
export function keep(picture: string, held: string[] = []): string {
  const random = crypto.getRandomValues(new Uint8Array(3));
  const digits = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const name = `${Date.now().toString(36)}${digits}`; // names are in the order of their time
  const names = Object.keys(sessionStorage).filter((key) => key.startsWith(KEPT));
  const old = names.filter((key) => !held.includes(key.slice(KEPT.length))).sort();
  const spare = (): void => sessionStorage.removeItem(old.shift() as string);
  for (let over = names.length + 1 - MOST_KEPT; over > 0 && old.length; over -= 1) spare();
  for (;;) {
    try {
      sessionStorage.setItem(KEPT + name, picture);
      return name;
    } catch {
      if (!old.length) throw new Refusal(t("error_pictures_full"), t("error_pictures_full_more"), "picture");
      spare();
    }
  }
}

/** The names of pictures, of which those that are `held` already keep theirs. */
export function keepAll(pictures: string[], held: string[]): string[] {
  const names: string[] = [];
  for (const picture of pictures)
    names.push(held.find((name) => kept(name) === picture) ?? keep(picture, [...held, ...names]));
  return names;
}

/** The picture of that name, or null. */
export const kept = (name: string): string | null => sessionStorage.getItem(KEPT + name);

/** The pictures among pasted or dropped files; without any the first file, which will be refused by its name. */
export function picturesIn(transfer: DataTransfer | null): File[] {
  const files = Array.from(transfer?.files ?? []);
  const pictures = files.filter((file) => file.type.startsWith("image/"));
  return pictures.length ? pictures : files.slice(0, 1);
}
