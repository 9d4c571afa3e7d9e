import { expect, it } from "vitest";
import type { Clock } from "./clock.js";
import { Limiter } from "./limiter.js";

/** Time that passes only when somebody waits. */
function fakeClock(): Clock & { time: number } {
  const clock = {
    time: 0,
    now: () => clock.time,
    sleep: async (milliseconds: number) => {
      clock.time += milliseconds;
    },
  };
  return clock;
}

it("starts requests evenly, so many a minute", async () => {
  const clock = fakeClock();
  const limiter = new Limiter({ concurrent: 10, perMinute: 30 }, clock);
  const starts: number[] = [];
  for (let request = 0; request < 5; request++) {
    const leave = await limiter.enter(undefined);
    starts.push(clock.time);
    leave();
  }
  expect(starts).toEqual([0, 2000, 4000, 6000, 8000]);
});

it("halves what is open when the server is busy, and grows by one for each round of answers", async () => {
  const limiter = new Limiter({ concurrent: 8, perMinute: undefined }, fakeClock());
  const open = async (): Promise<number> => {
    const leaves: (() => void)[] = [];
    const waits = Array.from({ length: 20 }, () => limiter.enter(undefined).then((leave) => void leaves.push(leave)));
    await new Promise((resolve) => setImmediate(resolve));
    const count = leaves.length;
    while (leaves.length > 0) {
      leaves.pop()!();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(waits);
    return count;
  };
  expect(await open()).toBe(8);
  limiter.busy();
  expect(await open()).toBe(4);
  for (let answer = 0; answer < 5; answer++) limiter.answered();
  expect(await open()).toBe(5);
  for (let refusal = 0; refusal < 9; refusal++) limiter.busy();
  expect(await open()).toBe(1);
  for (let answer = 0; answer < 1000; answer++) limiter.answered();
  expect(await open()).toBe(8);
});

it("lets those who wait go when they are aborted, and gives their place to the next", async () => {
  const limiter = new Limiter({ concurrent: 1, perMinute: undefined }, fakeClock());
  const leave = await limiter.enter(undefined);
  const controller = new AbortController();
  const aborted = limiter.enter(controller.signal);
  const next = limiter.enter(undefined);
  controller.abort(new Error("enough"));
  await expect(aborted).rejects.toThrow("enough");
  leave();
  leave();
  (await next)();
  expect(limiter.load).toBe(0);
});
