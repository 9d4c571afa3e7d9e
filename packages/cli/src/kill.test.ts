import { it } from "vitest";
import { killAndGoOn } from "./kill.test.support.js";

it("goes on after being killed at any moment", () => killAndGoOn(2), 240_000);
