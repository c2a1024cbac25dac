// The JSON of indexes, their state and their jobs, as the panel's value holds it. Does nothing.
import type { Failure, IndexFacts } from "../types";

export interface Status {
  folder: string;
  bytes: number;
  documents: number;
  passages: Record<string, number>;
  suffixes: Record<string, number>;
  skipped: { root: string; document: string; reason: string }[];
  skipped_count: number;
  fingerprint: { model: string; revision: string; dim: number; instruction: string; preprocessing: string } | null;
  spaces?: { name: string; dim: number; share: number }[]; // further models
}

export interface Report {
  indexed?: number;
  unchanged?: number;
  removed?: number;
  skipped?: unknown[] | number;
}

export interface Job {
  id: string;
  state: "running" | "done" | "stopped" | "failed";
  stopping: boolean;
  process: number | null; // of a run in a terminal, which this page cannot stop
  done: number;
  total: number;
  counted: boolean;
  folder: number;
  folders: number;
  current: string;
  documents_per_second: number;
  passages_per_second: number;
  megabytes_per_second: number;
  tokens_per_second: number;
  seconds_left: number | null;
  stages: Record<string, number>;
  readers?: Record<string, number>; // processes that read, by machine
  report: Report | null;
  error: Failure | null;
}

/** One index as the panel shows it. */
export interface Shelf {
  facts: IndexFacts;
  status: Status | null; // null if it cannot be opened, or does not exist
  job: Job | null; // the one that runs, else the last one
}
