// Asks POST /v1/ask and reads its server-sent events. Knows the route and its events; knows no elements.
import { isAbort, Refusal } from "../server";
import type { Failure } from "../types";
import { t } from "../words";
import type { Source, Whole } from "./turns";

export type Event =
  | { name: "sources"; data: { sources: Source[] } }
  | { name: "piece"; data: { text: string } }
  | { name: "answer"; data: Whole }
  | { name: "error"; data: { error: Failure } };

/** Where to look, and what was said before. */
export interface Asked {
  question: string;
  indexes: string[];
  kinds: string[];
  paths: string[];
  roots: string[];
  after: string | null;
  before: string | null; // exclusive
  history: { question: string; answer: string }[];
}

/** No chat model is set: the evidence that one would have been given. */
export class Unanswered extends Refusal {
  constructor(
    failure: Failure,
    readonly sources: Source[],
  ) {
    super(failure.what, failure.remedy, failure.code);
  }
}

/** The events of an answer, the last of which is `answer`. Throws Refusal, Unanswered, or the browser's AbortError. */
export async function* events(asked: Asked, signal: AbortSignal): AsyncGenerator<Event> {
  const answer = await begun(asked, signal);
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let held = "";
  let isWhole = false;
  for (;;) {
    const { value, done } = await reader.read().catch((error: unknown) => {
      throw isAbort(error) ? error : cutOff();
    });
    held += decoder.decode(value, { stream: !done });
    const blocks = held.split("\n\n");
    held = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = read(block);
      if (event.name === "error") throw refusal(event.data.error);
      isWhole ||= event.name === "answer";
      yield event;
    }
    if (done && isWhole) return;
    if (done) throw cutOff();
  }
}

async function begun(asked: Asked, signal: AbortSignal): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch("/v1/ask", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(asked),
      credentials: "same-origin",
      signal,
    });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new Refusal(t("error_down", { address: location.origin }), t("error_down_more"), "down");
  }
  if (answer.ok) return answer;
  const body = (await answer.json().catch(() => null)) as { error?: Failure; sources?: Source[] } | null;
  signal.throwIfAborted();
  if (body?.error?.code === "no_chat_model") throw new Unanswered(body.error, body.sources ?? []);
  if (body?.error?.what) throw refusal(body.error);
  throw new Refusal(t("error_other", { status: answer.status }), t("error_other_more"), String(answer.status));
}

/** One event: a line with its name, a line with its data. */
function read(block: string): Event {
  const [name, data] = block.split("\n");
  return { name: name?.replace("event: ", ""), data: JSON.parse(data?.replace("data: ", "") ?? "null") } as Event;
}

const refusal = ({ what, remedy, code }: Failure): Refusal => new Refusal(what, remedy, code);
const cutOff = (): Refusal => new Refusal(t("ask_cut_off"), t("error_other_more"), "cut_off");
