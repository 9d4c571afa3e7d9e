import { kernelWith, layoutFor, releaseKernel, sortRecords } from "./kernel.js";
import { type ProjectedSplats, recordLength } from "./project.js";

/** Positions of the projected splats from near to far; equal depths keep the order of the scene. */
export function depthOrder({ count, records }: Pick<ProjectedSplats, "count" | "records">): Uint32Array {
  const layout = layoutFor(count, recordLength * 4);
  const kernel = kernelWith(layout.end);
  new Float32Array(kernel.memory.buffer, layout.records).set(records.subarray(0, count * recordLength));
  sortRecords(kernel, layout, count);
  const order = new Uint32Array(kernel.memory.buffer, layout.order, count).slice();
  releaseKernel();
  return order;
}
