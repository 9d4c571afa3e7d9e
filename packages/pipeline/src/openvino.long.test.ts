import { it } from "vitest";
import { openVinoAgrees } from "./openvino.test.support.js";

it("two pipelines on OpenVINO at once give what one on ONNX Runtime gives", (test) => openVinoAgrees(2, test), 300_000);
