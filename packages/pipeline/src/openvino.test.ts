import { it } from "vitest";
import { openVinoAgrees } from "./openvino.test.support.js";

it("a pipeline on OpenVINO gives what one on ONNX Runtime gives", (test) => openVinoAgrees(1, test), 300_000);
