import { it } from "vitest";
import { soak } from "./soak.test.support.js";

it("holds no more after 500 images than after 250", () => soak(500, 100e6));
