import { formatCount, formatShare, formatValue } from "../format.js";
import { histogramBins, type ScoreSummary } from "../summary.js";
import { html, type Markup } from "./markup.js";
import type { MovableThreshold } from "./threshold-data.js";

/** Of the drawing, which is stretched to the card. */
const [width, height] = [480, 100];

/** A score's histogram with its thresholds to move; without a script it shows them as they are set. */
export function scoreCard(
  score: ScoreSummary,
  number: number,
  thresholds: readonly (MovableThreshold & { readonly index: number })[],
  items: number,
): Markup {
  const { name, unit, meaning, better, measured, low, median, high, histogram, rejects, rejectsAlone } = score;
  const direction = { higher: "higher is better", lower: "lower is better", between: "in between is best" }[better];
  if (measured === 0) {
    return html`<div class="card"><h3>${name}</h3><p class="soft small">${meaning && `${meaning}; `}no item has it</p></div>`;
  }
  const most = Math.max(...histogram.counts);
  const step = width / histogramBins;
  // One path is a tenth of as many rectangles.
  const bars = histogram.counts
    .map((count, bin) =>
      count === 0
        ? ""
        : `M${(bin * step + 0.6).toFixed(1)} ${height}v${(-(height - 2) * Math.max(0.02, count / most)).toFixed(1)}h${(step - 1.2).toFixed(1)}V${height}z`,
    )
    .join("");
  const spoken = `${name}: ${formatCount(measured)} items from ${formatValue(low)} to ${formatValue(high)}, half of them below ${formatValue(median)}`;
  return html`<div class="card">
<div class="head"><h3>${name}</h3><span class="soft small">${unit !== undefined && `${unit}, `}${direction}</span></div>
${meaning !== undefined && html`<p class="soft small">${meaning}</p>`}
<div class="plot"><svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${spoken}"><path class="bars" d="${bars}"/>${thresholds.map(
    (threshold) => {
      const place = threshold.places[threshold.at]!;
      const none = threshold.at === (threshold.side === "least" ? 0 : threshold.edges.length - 1);
      const [x, wide] = threshold.side === "least" ? [0, place] : [place, 1 - place];
      return html`<rect class="shade" id="shade-${threshold.index}" x="${width * x}" y="0" width="${none ? 0 : width * wide}" height="${height}"/><line class="line${none && " none"}" id="line-${threshold.index}" x1="${width * place}" x2="${width * place}" y1="0" y2="${height}"/>`;
    },
  )}<line class="axis" x1="0" x2="${width}" y1="${height}" y2="${height}"/></svg></div>
<div class="ends num"><span>${formatValue(histogram.from)}</span><span>median ${formatValue(median)}</span><span>${formatValue(histogram.to)}</span></div>
${thresholds.map(({ index, side, labels, at, edges }) => {
  const none = at === (side === "least" ? 0 : edges.length - 1);
  return html`<div class="slider"><label for="slider-${index}">${side === "least" ? "At least" : "At most"}</label><output class="num" id="label-${index}" for="slider-${index}">${none ? "none" : `${side === "least" ? "≥" : "≤"} ${labels[at]}`}</output><input type="range" id="slider-${index}" min="0" max="1000" data-live hidden></div>`;
})}
<p class="small num" id="rejects-${number}">rejects ${formatCount(rejects)} (${formatShare(rejects, items)}), ${formatCount(rejectsAlone)} of them alone</p>
${measured < items && html`<p class="small soft">${formatCount(items - measured)} without a value pass</p>`}
</div>
`;
}
