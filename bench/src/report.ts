import { type Reading, ratios } from "./contestant.js";
import type { GpuFigures } from "./gpu-part.js";
import type { ImageFigures } from "./image-child.js";
import type { LoadMeasurement } from "./load-part.js";
import type { ScriptResult } from "./peer-scripts.js";
import type { SavingFigures } from "./savings-part.js";
import { median } from "./statistics.js";
import type { StepFigures } from "./step-part.js";

/** Everything that one run measured; what was not asked for is absent. */
export interface BenchFigures {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly settings: string;
  readonly step?: StepFigures;
  readonly scripts?: readonly ScriptResult[];
  readonly load?: readonly LoadMeasurement[];
  readonly image?: ImageFigures;
  readonly savings?: readonly SavingFigures[];
  readonly gpu?: readonly GpuFigures[];
}

/** One line of the last table. */
export interface Target {
  readonly name: string;
  readonly target: string;
  readonly measured: string;
  readonly met: boolean;
}

const peerTargets = [
  { ours: "ours openvino", peer: "diffusers fp32", most: 0.85 },
  { ours: "ours kept", peer: "diffusers fp32", most: 0.85 },
  { ours: "ours openvino", peer: "OpenVINO fp32", most: 0.95 },
  { ours: "ours bf16", peer: "OpenVINO bf16", most: 0.95 },
  { ours: "ours int8", peer: "OpenVINO bf16", most: 0.8 },
] as const;

/** What the project wants, beside what was measured. */
export function targets({ step, load, image }: BenchFigures): Target[] {
  const lines: Target[] = [];
  for (const ours of step ? contestants(step.readings).filter(isOurs) : []) {
    const faster = ratios(step!.readings, "diffusers fp32", ours);
    if (faster.length > 0)
      lines.push({ name: `step, ${ours}, against diffusers fp32`, target: "≥ 1.2 ×", measured: `${spread(faster)} ×`, met: median(faster) >= 1.2 });
    for (const { peer, ours: whose, most } of peerTargets.filter((one) => one.ours === ours)) {
      const share = ratios(step!.readings, whose, peer);
      if (share.length > 0)
        lines.push({ name: `step, ${whose}, against ${peer}`, target: `≤ ${most} ×`, measured: `${spread(share)} ×`, met: median(share) <= most });
    }
    const share = rateShares({ ...step!, flops: step!.publishedFlops }, ours);
    lines.push({
      name: `step, ${ours}, against the matrix product's rate`,
      target: "≥ 0.9 ×",
      measured: `${spread(share)} ×`,
      met: median(share) >= 0.9,
    });
  }
  for (const { asked, optimization, state, seconds } of load ?? []) {
    if (state !== "warm") continue;
    const fellBack = asked === optimization ? "" : " (no room: fell back to mapped)";
    lines.push({ name: `opening all sessions, ${asked}, warm${fellBack}`, target: "≤ 5 s", measured: `${seconds.toFixed(2)} s`, met: seconds <= 5 });
  }
  if (image) {
    lines.push({
      name: "peak resident memory of the image",
      target: "≤ 9 GB",
      measured: `${gigabytes(image.peakBytes)} GB`,
      met: image.peakBytes <= 9e9,
    });
    lines.push({ name: "event-loop delay p99", target: "< 50 ms", measured: `${image.loopDelay.p99.toFixed(1)} ms`, met: image.loopDelay.p99 < 50 });
  }
  return lines;
}

/** The tables that are printed at the end. */
export function report(figures: BenchFigures): string {
  const { machine, settings, step, scripts = [], load = [], image, savings = [], gpu = [] } = figures;
  const sections = [
    `Machine: ${Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(" · ")}`,
    ...(settings === "full" ? [] : [`These are the "${settings}" sizes: they show that everything runs; their figures mean nothing.`]),
  ];
  if (step) sections.push(stepTable(step));
  if (scripts.length > 0) {
    sections.push(
      "The given peer scripts as they are, each alone\n" +
        table(
          ["script", "s / step", "our copy of it"],
          scripts.map(({ name, seconds }) => [name, seconds.toFixed(2), secondsOf(step?.readings ?? [], name)]),
        ),
    );
  }
  if (load.length > 0) {
    sections.push(
      "Opening every session of an image, each time in a new process\n" +
        table(
          ["weights", "state", "s", "peak GB", "parts"],
          load.map(({ asked, state, seconds, peakBytes, parts }) => [
            asked,
            state,
            seconds.toFixed(2),
            gigabytes(peakBytes),
            Object.entries(parts)
              .map(([name, part]) => `${name} ${part.toFixed(2)}`)
              .join(", "),
          ]),
        ),
    );
  }
  if (image) {
    const stages = Object.entries(image.stages).map(([name, seconds]) => `${name} ${seconds.toFixed(2)}`);
    sections.push(
      [
        `An image of ${image.stepSeconds.length} steps, end to end: ${image.seconds.toFixed(2)} s (${stages.join(", ")}); steps ${spread(image.stepSeconds)} s`,
        `peak resident ${gigabytes(image.peakBytes)} GB${image.anonymousPeakBytes === undefined ? "" : `, of which not mapped from files ${gigabytes(image.anonymousPeakBytes)} GB`}`,
        `event-loop delay: p50 ${image.loopDelay.p50.toFixed(1)}, p99 ${image.loopDelay.p99.toFixed(1)}, most ${image.loopDelay.max.toFixed(1)} ms`,
      ].join("\n"),
    );
  }
  if (savings.length > 0) {
    const whole = savings[0]!.seconds;
    sections.push(
      "What saves time, and what it costs: one image from one seed against the first line's\n" +
        table(
          ["", "s of all steps", "share", "latents, rms / std", "image PSNR, dB"],
          savings.map(({ name, seconds, latents, psnr }) => [
            name,
            seconds.toFixed(2),
            (seconds / whole).toFixed(2),
            latents.toExponential(1),
            psnr.toFixed(1),
          ]),
        ),
    );
  }
  if (gpu.length > 0) {
    sections.push(
      "The guided step on ONNX Runtime's other providers\n" +
        table(
          ["provider", "precision", "opening, s", "step, s", "error to fp32 on the CPU"],
          gpu.map(({ provider, precision, result }) =>
            "missing" in result
              ? [provider, precision, "", "", result.missing.slice(0, 100)]
              : [provider, precision, result.openSeconds.toFixed(2), result.seconds.toFixed(4), result.error.toExponential(1)],
          ),
        ),
    );
  }
  const lines = targets(figures);
  if (lines.length > 0)
    sections.push(
      table(
        ["target", "wanted", "measured", ""],
        lines.map(({ name, target, measured, met }) => [name, target, measured, met ? "met" : "MISSED"]),
      ),
    );
  return sections.join("\n\n");
}

function stepTable({ flops, publishedFlops, readings, openSeconds, peers, together, warnings }: StepFigures): string {
  const names = contestants(readings);
  const ours = names.filter(isOurs);
  const rows = names.map((name) => {
    const seconds = readings.filter(({ contestant }) => contestant === name).map((reading) => reading.seconds);
    const against = ours.map((our) => (isOurs(name) ? "" : spread(ratios(readings, name, our))));
    const peak = peers[name]?.peakBytes;
    return [
      name,
      spread(seconds),
      (flops / median(seconds) / 1e9).toFixed(0),
      spread(rateShares({ flops, readings }, name)),
      ...against,
      peak === undefined ? "" : gigabytes(peak),
    ];
  });
  const matrix = readings.map(({ matrixRate }) => matrixRate / 1e9);
  return [
    `One guided step with attention fusion, ${(flops / 1e12).toFixed(3)} TFLOP (${(publishedFlops / 1e12).toFixed(3)} with the reference projected every time); medians, in brackets least and most of ${new Set(readings.map(({ round }) => round)).size} rounds`,
    table(["contestant", "s / step", "GFLOP/s", "rate / matrix product's", ...ours.map((name) => `its s / s of ${name}`), "peak GB"], rows),
    `matrix product 2048³, float32, onnxruntime-node: ${spread(matrix, 0)} GFLOP/s`,
    `opening: ${Object.entries(openSeconds)
      .map(([name, seconds]) => `${name} ${seconds.toFixed(2)} s`)
      .join(", ")}`,
    ...(together ? [] : ["the peers ran one after another, each interleaved with ours"]),
    ...Object.entries(peers).map(([name, { versions }]) => `${name}: ${versions}`),
    ...warnings.map((text) => `warning: ${text}`),
  ].join("\n");
}

/** The step's FLOP rate over that of the matrix products around it, for every step. */
function rateShares({ flops, readings }: Pick<StepFigures, "flops" | "readings">, name: string): number[] {
  return readings.filter(({ contestant }) => contestant === name).map(({ seconds, matrixRate }) => flops / seconds / matrixRate);
}

function contestants(readings: readonly Reading[]): string[] {
  return [...new Set(readings.map(({ contestant }) => contestant))].sort((a, b) => Number(isOurs(b)) - Number(isOurs(a)));
}

function isOurs(name: string): boolean {
  return name.startsWith("ours");
}

function secondsOf(readings: readonly Reading[], name: string): string {
  const seconds = readings.filter(({ contestant }) => contestant === name).map((reading) => reading.seconds);
  return seconds.length > 0 ? spread(seconds) : "not run";
}

function spread(values: readonly number[], digits = 2): string {
  if (values.length === 0) return "-";
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
