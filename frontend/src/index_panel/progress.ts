// A job in words: how far it is, how fast, how it ended. Knows the JSON of a job; starts and stops nothing itself.
import { notice } from "../controls";
import { h } from "../dom";
import { icon } from "../icons";
import { count, plain, span } from "../places";
import { t, type Word } from "../words";
import type { Job } from "./types";

const BOTTLENECK = 0.2; // share of time by which the stages' waiting must differ to name a bottleneck
const STAGES: Record<string, Word> = { read: "stage_read", embed: "stage_embed", write: "stage_write" };

/** Stops a job by its id; null where the visitor may not. */
export type Stop = ((id: string) => void) | null;

/** How a job stands. */
export function progress(job: Job, stop: Stop): HTMLElement {
  if (job.state === "running") return running(job, stop);
  if (job.state === "failed") return notice(job.error?.what ?? t("state_failed"), job.error?.remedy ?? "");
  const { report } = job;
  const skipped = Array.isArray(report?.skipped) ? report.skipped.length : (report?.skipped ?? 0);
  const counted = report
    ? t("report", {
        indexed: report.indexed ?? 0,
        unchanged: report.unchanged ?? 0,
        removed: report.removed ?? 0,
        skipped,
      })
    : "";
  return h(
    "div",
    { class: `job-end job-${job.state}`, role: "status" },
    icon(job.state === "done" ? "check" : "warning"),
    h("strong", {}, t(`state_${job.state}`)),
    counted ? h("span", { class: "dim" }, counted) : null,
  );
}

function running(job: Job, stop: Stop): HTMLElement {
  const stopper = h(
    "button",
    { type: "button", class: "plain", disabled: job.stopping, on: { click: () => stop?.(job.id) } },
    t(job.stopping ? "stopping" : "stop"),
  );
  const value = job.total && job.counted ? job.done : null;
  return h(
    "div",
    { class: "job" },
    h(
      "div",
      { class: "job-words" },
      h("strong", {}, t("running")),
      h("span", { class: "dim" }, told(job).filter(Boolean).join(" · ")),
      job.process === null && stop ? stopper : null,
    ),
    job.process === null ? null : h("p", { class: "dim" }, t("elsewhere", { n: job.process })),
    h("progress", { max: job.total || 1, value, "aria-label": t("running") }),
    h("p", { class: "dim job-file" }, plain(job.current || "")),
  );
}

function told(job: Job): string[] {
  const rate = (name: Word, n: number): string =>
    n >= 0.05 ? t(name, { n: n < 9.95 ? n.toFixed(1) : count(Math.round(n)) }) : "";
  const done = { done: count(job.done), total: count(job.total) };
  return [
    job.folders > 1 ? t("folder_of", { n: job.folder, m: job.folders }) : "",
    job.total ? t(job.counted ? "progress" : "progress_so_far", done) : "",
    rate("speed_documents", job.documents_per_second),
    rate("speed", job.passages_per_second),
    rate("speed_tokens", job.tokens_per_second),
    rate("megabytes", job.megabytes_per_second),
    readers(job.readers ?? {}),
    job.seconds_left ? t("left", { time: span(job.seconds_left) }) : "",
    slowest(job.stages),
  ];
}

/** How many processes read, where they are on several machines. */
export function readers(machines: Record<string, number>): string {
  const counts = Object.values(machines);
  const all = counts.reduce((sum, n) => sum + n, 0);
  return counts.length > 1 ? t("readers", { n: all, m: counts.length }) : "";
}

/** The stage that waits least for the others, if it is clearly the bottleneck. */
export function slowest(stages: Record<string, number>): string {
  const waits = Object.entries(stages).sort((a, b) => a[1] - b[1]);
  const [first, last] = [waits[0], waits.at(-1)];
  const name = first ? STAGES[first[0]] : undefined;
  if (!first || !last || !name || last[1] - first[1] <= BOTTLENECK) return "";
  return t("held_back", { stage: t(name) });
}
