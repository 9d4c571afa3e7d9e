import type { Stage, StageEvent } from "./options.js";

/** Times stages: `start` and `end` give the events, and `end` writes the duration into `seconds`. */
export function stageClock(seconds: Record<Stage, number>): {
  readonly start: (stage: Stage) => StageEvent;
  readonly end: (stage: Stage) => StageEvent;
} {
  let started = 0;
  return {
    start: (stage) => {
      started = performance.now();
      return { type: "stage", stage, status: "start" };
    },
    end: (stage) => {
      seconds[stage] = (performance.now() - started) / 1000;
      return { type: "stage", stage, status: "end", seconds: seconds[stage] };
    },
  };
}

/** Carries events out of a callback that must finish before the stream goes on. */
export class EventQueue<Event> {
  readonly #events: Event[] = [];
  #wake: () => void = () => {};

  push(event: Event): void {
    this.#events.push(event);
    this.#wake();
  }

  /** Gives the events as they come until `work` has ended, and throws what it throws. */
  async *until(work: Promise<unknown>): AsyncGenerator<Event> {
    let ended = false;
    const end = work.finally(() => {
      ended = true;
      this.#wake();
    });
    end.catch(() => {}); // awaited below; until then a failure must not count as unhandled
    while (!ended || this.#events.length > 0) {
      const event = this.#events.shift();
      if (event !== undefined) yield event;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          if (ended) resolve();
        });
      }
    }
    await end;
  }
}
