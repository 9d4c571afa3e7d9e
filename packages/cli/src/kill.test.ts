import { it } from "vitest";
import { killAndGoOn } from "./kill.test.support.js";

it("goes on after being killed at any moment", () => killAndGoOn(1), 240_000);
