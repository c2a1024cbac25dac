// A query picture: read and made small in the browser, kept for this tab. Knows files and canvases; knows no search.
import { Refusal } from "./asking.js";
import { bytes } from "./places.js";
import { t } from "./words.js";

const EDGE = 1280; // pixels: longer than any query picture is looked at
const LARGEST = 50 * 2 ** 20; // bytes: decoding more would stop the browser for seconds
const KEPT = "rag.picture.";

/** A data: URL of a JPEG no longer than EDGE on a side. Refusal for what is no picture or is too large. */
export async function shrunk(file) {
  if (file.size > LARGEST) throw new Refusal(t("error_picture_large", { size: bytes(file.size) }), t("error_picture_large_more"), "picture");
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Refusal(t("error_picture", { name: file.name || "" }), t("error_picture_more"), "picture");
  }
  const scale = Math.min(1, EDGE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const brush = canvas.getContext("2d");
  brush.fillStyle = "#fff"; // JPEG has no transparency
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return canvas.toDataURL("image/jpeg", 0.9);
}

/** Keeps a picture for this tab under a short name that may stand in the address. */
export function keep(picture) {
  const name = Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const names = Object.keys(sessionStorage).filter((key) => key.startsWith(KEPT));
  for (const old of names.slice(0, Math.max(0, names.length - 5))) sessionStorage.removeItem(old);
  sessionStorage.setItem(KEPT + name, picture);
  return name;
}

/** The picture kept under a name, or null. */
export const kept = (name) => sessionStorage.getItem(KEPT + name);

/** The first picture among pasted or dropped things, or null. */
export function pictureIn(transfer) {
  return Array.from(transfer?.files || []).find((file) => file.type.startsWith("image/")) || Array.from(transfer?.files || [])[0] || null;
}
