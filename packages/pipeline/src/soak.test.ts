import { it } from "vitest";
import { soak } from "./soak.test.support.js";

it("holds no more after 6 images than after 3", () => soak(6, 300e6), 240_000);
