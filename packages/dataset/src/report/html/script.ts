// Runs in the reader's browser: thresholds that are moved count at once.
import type { PageDocument, PageElement } from "./dom.js";
import type { MovableThreshold, ThresholdData } from "./threshold-data.js";

declare const document: PageDocument;

const byId = (id: string): PageElement => document.getElementById(id)!;
const data = JSON.parse(byId("threshold-data").textContent ?? "") as ThresholdData;
const scores = JSON.parse(byId("score-names").textContent ?? "") as readonly string[];
const codes = data.thresholds.map((threshold) => Uint8Array.from(atob(threshold.codes), (letter) => letter.charCodeAt(0)));
const at = data.thresholds.map((threshold) => threshold.at);
const about = data.shown < data.of ? "about " : "";

const count = (items: number): string => `${about}${Math.round((items * data.of) / Math.max(1, data.shown)).toLocaleString("en-US")}`;
const percent = (items: number): string => `${((100 * items) / Math.max(1, data.shown)).toFixed(1)} %`;

/** The greatest code that the threshold refuses. */
const refused = ({ side, edges }: MovableThreshold, edge: number): number => (side === "least" ? edge : edges.length - 1 - edge);
const isNone = ({ side, edges }: MovableThreshold, edge: number): boolean => edge === (side === "least" ? 0 : edges.length - 1);

function show(): void {
  const fails = new Uint8Array(data.shown);
  for (const [index, threshold] of data.thresholds.entries()) {
    const limit = refused(threshold, at[index]!);
    const own = codes[index]!;
    for (let item = 0; item < own.length; item++) if (own[item]! <= limit) fails[item]!++;
  }
  const rejects = scores.map(() => 0);
  const alone = scores.map(() => 0);
  for (const [index, threshold] of data.thresholds.entries()) {
    const limit = refused(threshold, at[index]!);
    const own = codes[index]!;
    for (let item = 0; item < own.length; item++) {
      if (own[item]! > limit) continue;
      rejects[threshold.score]!++;
      if (fails[item] === 1) alone[threshold.score]!++;
    }
  }
  let passing = 0;
  for (const failed of fails) if (failed === 0) passing++;
  byId("passing").textContent = `${count(passing)} of ${data.of.toLocaleString("en-US")}`;
  byId("passing-share").textContent = percent(passing);
  for (const score of new Set(data.thresholds.map((threshold) => threshold.score))) {
    byId(`rejects-${score}`).textContent = `rejects ${count(rejects[score]!)} (${percent(rejects[score]!)}), ${count(alone[score]!)} of them alone`;
  }
  const chosen: { [score: string]: { [side: string]: number } } = {};
  for (const [index, threshold] of data.thresholds.entries()) {
    const edge = at[index]!;
    const none = isNone(threshold, edge);
    const label = none ? "none" : `${threshold.side === "least" ? "≥" : "≤"} ${threshold.labels[edge]}`;
    const place = threshold.places[edge]!;
    const slider = byId(`slider-${index}`);
    slider.value = String(Math.round(1000 * place));
    slider.setAttribute("aria-valuetext", none ? "no threshold" : label);
    byId(`label-${index}`).textContent = label;
    const shade = byId(`shade-${index}`);
    shade.setAttribute("x", threshold.side === "least" ? "0" : String(480 * place));
    shade.setAttribute("width", none ? "0" : String(480 * (threshold.side === "least" ? place : 1 - place)));
    const line = byId(`line-${index}`);
    line.classList.toggle("none", none);
    line.setAttribute("x1", String(480 * place));
    line.setAttribute("x2", String(480 * place));
    if (!none) chosen[scores[threshold.score]!] = { ...chosen[scores[threshold.score]!], [threshold.side]: threshold.edges[edge]! };
  }
  byId("chosen").textContent = JSON.stringify(chosen, undefined, 2);
}

/** The last of those edges that are nearest, so that a threshold reaches the end it stands at. */
function nearest({ places, side }: MovableThreshold, place: number): number {
  let best = 0;
  for (let edge = 1; edge < places.length; edge++) {
    const [distance, least] = [Math.abs(places[edge]! - place), Math.abs(places[best]! - place)];
    if (distance < least || (distance === least && side === "most")) best = edge;
  }
  return best;
}

const steps: { readonly [key: string]: number } = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  PageDown: -10,
  PageUp: 10,
  Home: -1e9,
  End: 1e9,
};

for (const [index, threshold] of data.thresholds.entries()) {
  const slider = byId(`slider-${index}`);
  slider.addEventListener("input", () => {
    at[index] = nearest(threshold, Number(slider.value) / 1000);
    show();
  });
  slider.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    at[index] = Math.min(threshold.edges.length - 1, Math.max(0, at[index]! + step));
    show();
  });
}
byId("reset").addEventListener("click", () => {
  for (const [index, threshold] of data.thresholds.entries()) at[index] = threshold.at;
  show();
});
for (const element of document.querySelectorAll("[data-live]")) element.hidden = false;
show();
