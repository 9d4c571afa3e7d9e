import type { EvaluatedMetric, Gate } from "../evaluate/evaluation.js";

/** A value to about five figures, as tables print metrics: 50.584, 0.2612, 34.511, 0.000472. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "n/a" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size > 0 && size < 0.01) return String(Number(value.toPrecision(3))).replace(/^-/, "−");
  const text = value.toFixed(size >= 1000 ? 1 : size >= 100 ? 2 : size >= 10 ? 3 : 4);
  return text.replace("-", "−");
}

/** `0.5210 … 0.5430`, or nothing. */
export function formatInterval({ interval }: EvaluatedMetric): string {
  return interval ? `${formatValue(interval.low)} … ${formatValue(interval.high)}` : "";
}

/** By how much a value differs from another, in percent of it. */
export function formatChange(value: number, baseline: number): string {
  const share = (100 * (value - baseline)) / Math.abs(baseline);
  if (!Number.isFinite(share)) return value === baseline ? "±0 %" : "";
  return `${share > 0 ? "+" : share < 0 ? "−" : "±"}${Math.abs(share).toFixed(Math.abs(share) >= 10 ? 0 : 1)} %`;
}

/** Whether a value is better, worse or equal to another, as the metric's direction has it. */
export function compareValues({ direction }: Pick<EvaluatedMetric, "direction">, value: number, baseline: number): "better" | "worse" | "same" {
  if (value === baseline || Number.isNaN(value) || Number.isNaN(baseline)) return "same";
  return value > baseline === (direction === "higher") ? "better" : "worse";
}

export function arrowOf({ direction }: Pick<EvaluatedMetric, "direction">): string {
  return direction === "higher" ? "↑" : "↓";
}

/** One word for a metric's gates. */
export function statusOf(gates: readonly Gate[]): "passed" | "failed" | "none" {
  if (gates.length === 0) return "none";
  return gates.every(({ passed }) => passed) ? "passed" : "failed";
}

/** `1 h 5 min`, `12 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(bytes < 1e4 ? 1 : 0)} kB`;
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** `1 file`, `2 files`. */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
