import { formatValue } from "../format.js";
import { html, type Markup } from "./markup.js";

/** A line of earlier values that ends in a dot for the present one. Empty when there is only one. */
export function sparkline(values: readonly number[], title: string): Markup {
  const shown = values.filter(Number.isFinite);
  if (shown.length < 2) return html``;
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const x = (index: number) => 4 + (80 * index) / (shown.length - 1);
  const y = (value: number) => (high === low ? 14 : 24 - (20 * (value - low)) / (high - low));
  const points = shown.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  return html`<svg class="spark" viewBox="0 0 88 28" role="img" aria-label="${title}: ${shown.map(formatValue).join(", ")}"><polyline points="${points}"/><circle cx="${x(
    shown.length - 1,
  ).toFixed(1)}" cy="${y(shown.at(-1)!).toFixed(1)}" r="3.5"/></svg>`;
}

/** How scores are spread, with a line at the metric's value. Empty for fewer than five different ones. */
export function histogram(scores: readonly number[], value: number, title: string): Markup {
  const shown = scores.filter(Number.isFinite);
  const [low, high] = shown.reduce(([least, most], score) => [Math.min(least, score), Math.max(most, score)], [Infinity, -Infinity]);
  if (new Set(shown).size < 5) return html``;
  const bins = Math.min(30, Math.max(5, Math.ceil(Math.sqrt(shown.length))));
  const counts = new Array<number>(bins).fill(0);
  for (const score of shown) counts[Math.min(bins - 1, Math.floor(((score - low) / (high - low)) * bins))]!++;
  const most = Math.max(...counts);
  const [width, height, base] = [560, 110, 88];
  const step = width / bins;
  const bars = counts.map((count, index) => {
    const tall = (base - 4) * (count / most);
    return html`<rect x="${(index * step + 1).toFixed(1)}" y="${(base - tall).toFixed(1)}" width="${(step - 2).toFixed(1)}" height="${tall.toFixed(1)}"/>`;
  });
  const at = Math.min(width - 1, Math.max(1, ((value - low) / (high - low)) * width));
  const spoken = `${title}: ${shown.length} scores from ${formatValue(low)} to ${formatValue(high)}, value ${formatValue(value)}`;
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${spoken}">${bars}<line class="axis" x1="0" y1="${base}" x2="${width}" y2="${base}"/>${
    Number.isFinite(value) && html`<line x1="${at.toFixed(1)}" y1="0" x2="${at.toFixed(1)}" y2="${base}"/>`
  }<text x="0" y="${base + 16}">${formatValue(low)}</text><text x="${width}" y="${base + 16}" text-anchor="end">${formatValue(high)}</text><text x="${Math.min(
    width - 90,
    Math.max(90, at),
  ).toFixed(1)}" y="${base + 16}" text-anchor="middle">value ${formatValue(value)}</text></svg>`;
}
