// What choosing folders and uploading asks of the server. Knows the routes below /v1; knows no elements.
import { ask, Refusal, withValues } from "../server";
import type { Failure } from "../types";
import { t } from "../words";

export interface Listing {
  path: string;
  parent: string | null; // null where the folder above may not be shown
  folders: { name: string; path: string }[];
  more: number; // folders left out
  files: number;
  roots: string[];
  samples: string | null;
}

export interface Uploaded {
  path: string;
  folder: string; // of all uploads of this index
}

/** The folders in a folder, by default in the first that may be shown. Throws Refusal. */
export const listing = (path: string): Promise<Listing> => ask<Listing>(withValues("/v1/folders", { path }));

/** Sends a file; `sent` is called with its bytes so far. Throws Refusal; the promise of an aborted one never settles. */
export function upload(
  file: File,
  name: string,
  index: string,
  sent: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Uploaded> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest(); // unlike fetch it tells how much was sent
    request.open("PUT", withValues("/v1/uploads", { index, name }));
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => sent(event.loaded));
    request.addEventListener("error", () => failed(new Refusal(t("upload_lost"), "", "down")));
    request.addEventListener("load", () => {
      if (request.status === 201) done(request.response as Uploaded);
      else failed(refusal(request.status, request.response as { error?: Failure } | null));
    });
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

function refusal(status: number, body: { error?: Failure } | null): Refusal {
  const failure = body?.error;
  if (failure?.what) return new Refusal(failure.what, failure.remedy, failure.code);
  return new Refusal(t("error_other", { status }), t("error_other_more"), String(status));
}
