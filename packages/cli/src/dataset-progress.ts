import type { WriteStream } from "node:tty";
import type { RunProgress } from "@refadgen/dataset";

export interface DatasetReporter {
  readonly progress: (progress: RunProgress) => void;
  /** Clears what a terminal shows. */
  end(): void;
}

export interface DatasetReporterOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly stdout: Pick<WriteStream, "write">;
  readonly stderr: Pick<WriteStream, "write"> & { readonly isTTY?: boolean; readonly columns?: number };
}

/** How often a line is drawn, in milliseconds. */
const often = 100;
/** How often a log gets one. */
const seldom = 10_000;

/** JSON lines for programs; for people a line that is redrawn, and one that stays for each step. */
export function datasetReporter({ json, quiet, stdout, stderr }: DatasetReporterOptions): DatasetReporter {
  let last = performance.now();
  let began = last;
  let drawn = false;
  const clear = () => {
    if (drawn) stderr.write("\r\u001B[K");
    drawn = false;
  };
  if (json || quiet) {
    return {
      progress(progress) {
        if (quiet && !json) return;
        const now = performance.now();
        if (progress.state === "going" && now - last < 1000) return;
        last = now;
        stdout.write(`${JSON.stringify({ type: "progress", ...progress })}\n`);
      },
      end() {},
    };
  }
  return {
    progress(progress) {
      const now = performance.now();
      if (progress.state === "begin") {
        began = now;
        last = now;
        return;
      }
      if (progress.state === "end") {
        clear();
        if (progress.done > 0) stderr.write(`${stepLine(progress)}  ${secondsText((now - began) / 1000)}\n`);
        return;
      }
      if (now - last < (stderr.isTTY ? often : seldom)) return;
      last = now;
      const line = `${stepLine(progress)}${leftText(progress, (now - began) / 1000)}`;
      if (stderr.isTTY) {
        stderr.write(`\r\u001B[K${line.slice(0, (stderr.columns ?? 80) - 1)}`);
        drawn = true;
      } else stderr.write(`${line}\n`);
    },
    end: clear,
  };
}

function stepLine({ step, done, total, known, rejected, failed }: RunProgress): string {
  const parts = [`${step.padEnd(14)} ${total === undefined || total === done ? done : `${done}/${total}`}`];
  if (known > 0) parts.push(`${known} known`);
  if (rejected > 0) parts.push(`${rejected} rejected`);
  if (failed > 0) parts.push(`${failed} failed`);
  return parts.join(", ");
}

/** What is left at the speed so far, once there is one. */
function leftText({ done, total, known }: RunProgress, seconds: number): string {
  const made = done - known;
  if (made < 5 || total === undefined || seconds < 2) return "";
  return `, ${(made / seconds).toFixed(made / seconds < 10 ? 1 : 0)}/s, ${secondsText(((total - done) * seconds) / made)} left`;
}

function secondsText(seconds: number): string {
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
