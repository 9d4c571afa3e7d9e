import type { WriteStream } from "node:tty";
import type { EvaluationProgress } from "../evaluate/evaluate.js";
import { type EvaluatedMetric, type Gate, metricTitles } from "../evaluate/evaluation.js";
import type { MetricName } from "../metrics/contract.js";
import { formatBytes, formatSeconds, formatValue } from "../report/format.js";

/** What happens, told to a person. */
export interface Reporter {
  progress(progress: EvaluationProgress): void;
  result(result: EvaluatedMetric, gates: readonly Gate[]): void;
  /** Clears what is being drawn. */
  end(): void;
}

export interface ReporterOptions {
  readonly quiet: boolean;
  readonly stderr: Pick<WriteStream, "write"> & { readonly isTTY?: boolean; readonly columns?: number };
  /** Milliseconds. */
  readonly now?: () => number;
}

const silent: Reporter = { progress() {}, result() {}, end() {} };

/** A line redrawn on terminals; nothing in logs and with `quiet`, where only the final table is of interest. */
export function createReporter({ quiet, stderr, now = Date.now }: ReporterOptions): Reporter {
  if (quiet || !stderr.isTTY || process.env.CI) return silent;
  let [drawn, last] = [false, 0];
  let [stage, begin, first] = ["", 0, 0];
  const end = () => {
    if (drawn) stderr.write("\r\u001B[K");
    drawn = false;
  };
  // A terminal that does not know its width says 0.
  const width = () => (stderr.columns ? stderr.columns - 1 : 79);
  const draw = (line: string, always: boolean) => {
    if (!always && now() - last < 100) return;
    last = now();
    stderr.write(`\r\u001B[K${line.slice(0, width())}`);
    drawn = true;
  };
  return {
    end,
    progress: (progress) => {
      switch (progress.stage) {
        case "match":
          return draw("matching files …", true);
        case "load":
          return draw(loadLine(progress), progress.load === undefined);
        case "compute":
          return draw(`${titles(progress.metrics)}: computing …`, true);
        case "score": {
          const { metrics, done, total } = progress;
          if (stage !== metrics.join()) [stage, begin, first] = [metrics.join(), now(), done];
          // What came from the cache went by in no time and tells nothing of what is left.
          const left = done > first ? ((now() - begin) / 1000 / (done - first)) * (total - done) : Number.NaN;
          const until = Number.isNaN(left) || done === total || now() - begin < 2000 ? "" : `, ${formatSeconds(left)} left`;
          return draw(`${bar(done / total)} ${titles(metrics)}: ${done} of ${total}${until}`, done === total);
        }
      }
    },
    result: ({ metric, value, n, seconds }, gates) => {
      end();
      const missed = gates.some(({ passed }) => !passed) ? "  FAIL" : "";
      stderr.write(`${metricTitles[metric].padEnd(12)} ${formatValue(value)}  n = ${n}, ${formatSeconds(seconds)}${missed}\n`);
    },
  };
}

function loadLine({ metrics, load }: Extract<EvaluationProgress, { stage: "load" }>): string {
  if (!load) return `${titles(metrics)}: loading …`;
  const { stage, file, done, total } = load;
  const name = file.split("/").at(-1)!;
  const size = total === undefined ? formatBytes(done) : `${formatBytes(done)} of ${formatBytes(total)}`;
  return `${total ? `${bar(done / total)} ` : ""}${stage === "download" ? `fetching ${name}` : `preparing ${name}`}: ${size}`;
}

function titles(metrics: readonly MetricName[]): string {
  return metrics.map((metric) => metricTitles[metric]).join(", ");
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, share) * 20);
  return `${"█".repeat(full)}${"░".repeat(20 - full)}`;
}
