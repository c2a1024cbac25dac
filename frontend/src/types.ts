// The JSON that the server and the components exchange. Knows names and types; does nothing.

export type Kind = "text" | "page" | "image" | "screenshot" | "frame";
export const KINDS: readonly Kind[] = ["text", "page", "image", "screenshot", "frame"];

/** A place in a document; which fields there are depends on its kind. */
export interface Locator {
  page?: number;
  slide?: number;
  sheet?: string;
  start?: number; // seconds
  end?: number; // seconds
  line_start?: number;
  line_end?: number;
  inner?: string; // path of a file inside the document
}

/** A range of code points, [start, end). */
export type Mark = [number, number];

export interface Member {
  id: string;
  locator: Locator;
  score: number;
}

export interface Folded extends Member {
  root: string;
  document: string;
  file: string; // its path on the server
  index: string;
}

export interface Stage {
  rank: number;
  score: number;
  space?: string; // of a dense lane, where the index has several models: the name of its model
}

export interface Explained {
  lanes: Record<string, Stage>;
  fused?: number | null;
  rerank_score: number | null;
  score_is?: string;
}

/** What previous and next in the viewer need of a hit. */
export interface Listed {
  rank: number;
  id: string;
  index: string;
  root: string;
  document: string;
  file: string; // its path on the server
  kind: Kind;
  modality: string;
  locator: Locator;
  score: number;
  rerank_score: number | null;
  lanes: Record<string, Stage>;
  explain?: Explained;
  members: Member[];
  folded: Folded[];
}

export interface Context {
  title?: string | null;
  heading?: string | null;
  about?: string | null;
}

export interface Hit extends Listed {
  snippet: string;
  marks: Mark[];
  context: Context;
  dated: number | null;
  thumbnail: string;
}

export interface Counts {
  kinds?: Partial<Record<Kind, number>>;
  folders?: Record<string, number>;
  roots?: Record<string, number>;
}

export interface Answer {
  hits: Hit[];
  total?: { results: number; exact: boolean } | null; // of the whole list
  next?: string | null; // the cursor of the hits after these
  counts: Counts;
  notes: string[];
  good: boolean;
  reranked: boolean;
  index: string;
  seconds: { total?: number };
}

export interface Failure {
  what: string;
  remedy: string;
  code: string;
}

/** What is asked: the value of the search bar. */
export interface Query {
  words: string;
  pictures: string[]; // data URLs, asked as one
  like: string; // the id of a passage, or ""
  less: string[]; // the ids of passages that the results are to be less like
  kinds: Kind[];
  paths: string[];
  roots: string[];
  indexes: string[];
  after: string; // a day, or ""
  before: string; // the last day, or ""
  sort: string;
  number: number; // grows with every change: answers to older queries are dropped
}

/** What was found: the value of the results. */
export interface Found {
  query: Query;
  answer: Answer | null;
  failure: Failure | null;
  settled: boolean; // no better order will follow
}

/** What is opened: the value of the viewer. */
export interface Opened {
  id: string;
  index: string;
  words: string;
  alike: boolean; // the near-duplicates are what is looked for
  hits: Listed[]; // those on the page, in their order
}

export interface Root {
  name: string;
  folder: string;
  present: boolean;
}

export interface IndexFacts {
  name: string;
  folder: string;
  exists: boolean;
  documents: number;
  passages: number;
  kinds: Partial<Record<Kind, number>>;
  folders: Record<string, number>;
  model: string | null;
  roots: Root[];
  job: string | null;
  run: object | null; // one that was started elsewhere
  problem: Failure | null;
}
