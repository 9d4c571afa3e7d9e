import { MetricWeightsError } from "../weights/error.js";
import type { MetricDriver, MetricRequest } from "./metric-driver.js";

/** The metrics of this package, as an evaluation uses them. */
export async function createDriver({ metric }: MetricRequest): Promise<MetricDriver> {
  throw new MetricWeightsError("unavailable", `${metric}: not there yet`);
}
