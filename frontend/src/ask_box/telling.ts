// Brings the messages into the chat: one event of Gradio at a time, the newest messages with each, until they are in it.
// Knows the value of the component and what came back; knows no turn.
import type { Host } from "../gradio";
import type { Message } from "./messages";

interface Props {
  value: { number: number; messages: Message[] } | null;
  shown: number | null;
}

const PAUSE = 60; // milliseconds between two events
const PATIENCE = 4000; // milliseconds, after which an event counts as lost

export interface Telling {
  /** These are the messages now. */
  tell(messages: Message[]): void;
  /** Gradio changed these properties. */
  changed(names: ReadonlySet<string>): void;
}

/** `told` is called with whether the chat shows the newest messages. An event that is lost or fails is triggered again. */
export function telling<P extends Props>(host: Host<P>, signal: AbortSignal, told: (is: boolean) => void): Telling {
  let number = 0; // of the newest messages
  let text = "[]";
  let sent = 0; // when the last event was triggered; 0: its result is there
  let waiting = 0;

  function tell(messages: Message[]): void {
    const now = JSON.stringify(messages);
    if (now === text) return;
    text = now;
    number += 1;
    told(false);
    host.set({ value: { number, messages } } as Partial<P>);
    later(PAUSE);
  }

  function later(pause: number): void {
    if (!waiting) waiting = window.setTimeout(send, pause);
  }

  function send(): void {
    waiting = 0;
    if (signal.aborted || isTold()) return;
    if (!sent || Date.now() - sent > PATIENCE) {
      sent = Date.now();
      host.dispatch("change");
    }
    later(PATIENCE / 4);
  }

  const isTold = (): boolean => (host.props.shown ?? 0) === number;

  function changed(names: ReadonlySet<string>): void {
    if (!names.has("shown")) return;
    sent = 0;
    if (isTold()) told(true);
    else {
      clearTimeout(waiting);
      waiting = 0;
      later(PAUSE);
    }
  }
  return { tell, changed };
}
