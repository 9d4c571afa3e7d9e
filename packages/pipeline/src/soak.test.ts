import { it } from "vitest";
import { soak } from "./soak.test.support.js";

it("holds no more after 16 images than after 8", () => soak(16, 300e6), 240_000);
