import { it } from "vitest";
import { soak } from "./soak.test.support.js";

it("holds no more after 10 images than after 5", () => soak(10, 300e6), 240_000);
