/** `12,345`. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** `12.3 %` of a whole; `0 %` of nothing. */
export function formatShare(part: number, whole: number): string {
  const share = whole === 0 ? 0 : (100 * part) / whole;
  return `${share === 0 || share >= 99.95 || Number.isInteger(share) ? Math.round(share) : share < 0.1 ? "<0.1" : share.toFixed(1)} %`;
}

/** A number of any size to about four figures. */
export function formatValue(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  // What is left of rounding.
  if (size < 1e-9) return "0";
  const text = size >= 10_000 ? formatCount(size) : size >= 1000 ? String(Math.round(size)) : String(Number(size.toPrecision(size < 1 ? 3 : 4)));
  return `${value < 0 ? "−" : ""}${text}`;
}

/** `1 item`, `2 items`. */
export function countOf(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}
