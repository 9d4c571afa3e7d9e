import { it } from "vitest";
import { killAndGoOn } from "./kill.test.support.js";

it("goes on after being killed at any of 200 moments", () => killAndGoOn(200));
