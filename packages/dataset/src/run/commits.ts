import type { Ledger } from "../ledger/ledger.js";

/** Writes that are made together: a transaction for each would cost more than most stages. */
export interface Commits {
  /** `write` runs soon, inside a transaction. */
  add(write: () => void): void;
  flush(): void;
}

const mostWrites = 64;
/** What a killed run may lose at most, besides work under way; a caption is paid for. */
const longestWait = 500;

export function commitsOf(ledger: Ledger): Commits {
  let pending: (() => void)[] = [];
  let last = performance.now();
  const flush = () => {
    last = performance.now();
    if (pending.length === 0) return;
    const writes = pending;
    pending = [];
    ledger.transaction(() => {
      for (const write of writes) write();
    });
  };
  return {
    add(write) {
      pending.push(write);
      if (pending.length >= mostWrites || performance.now() - last > longestWait) flush();
    },
    flush,
  };
}
