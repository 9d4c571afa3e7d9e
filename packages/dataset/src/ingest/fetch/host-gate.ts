import type { Wait } from "./wait.js";

/** Lets a bounded number of requests per host through, with a pause between their beginnings. */
export interface HostGate {
  /** Waits for a turn; call what it gives when the request is over. */
  enter(host: string, signal?: AbortSignal): Promise<() => void>;
  /** Nobody begins a request to the host for so many milliseconds: its server has said so. */
  pause(host: string, milliseconds: number): void;
}

interface Host {
  active: number;
  next: number;
  readonly waiting: (() => void)[];
}

export interface HostGateOptions {
  readonly concurrent: number;
  /** Beginnings per second. */
  readonly perSecond: number;
  readonly wait: Wait;
}

export function createHostGate({ concurrent, perSecond, wait }: HostGateOptions): HostGate {
  const hosts = new Map<string, Host>();
  const interval = 1000 / perSecond;
  const leave = (name: string, host: Host): void => {
    host.active--;
    host.waiting.shift()?.();
    // A list of a million hosts leaves no million entries behind.
    if (hosts.size > 1024)
      for (const [other, { active, waiting, next }] of hosts) if (active === 0 && waiting.length === 0 && next <= wait.now()) hosts.delete(other);
    if (host.active === 0 && host.waiting.length === 0 && host.next <= wait.now()) hosts.delete(name);
  };
  return {
    async enter(name, signal) {
      const entered: Host = hosts.get(name) ?? { active: 0, next: 0, waiting: [] };
      hosts.set(name, entered);
      while (entered.active >= concurrent) {
        await new Promise<void>((resolve, reject) => {
          const abort = (): void => {
            const at = entered.waiting.indexOf(go);
            if (at >= 0) entered.waiting.splice(at, 1);
            reject(signal?.reason);
          };
          const go = (): void => {
            signal?.removeEventListener("abort", abort);
            resolve();
          };
          if (signal?.aborted) return reject(signal.reason);
          signal?.addEventListener("abort", abort, { once: true });
          entered.waiting.push(go);
        });
      }
      entered.active++;
      try {
        for (;;) {
          const now = wait.now();
          const begin = Math.max(now, entered.next);
          if (begin <= now) {
            entered.next = now + (Number.isFinite(interval) ? interval : 0);
            break;
          }
          await wait.sleep(begin - now, signal);
        }
      } catch (error) {
        leave(name, entered);
        throw error;
      }
      // An entry that was dropped while someone waited is the one in use again.
      hosts.set(name, entered);
      let over = false;
      return () => {
        if (over) return;
        over = true;
        leave(name, entered);
      };
    },
    pause(name, milliseconds) {
      const host = hosts.get(name);
      if (host) host.next = Math.max(host.next, wait.now() + milliseconds);
    },
  };
}
