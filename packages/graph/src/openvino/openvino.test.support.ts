import { installOpenVino } from "./install.js";

/**
 * The folder of OpenVINO's libraries: `REFADGEN_OPENVINO`, else put into the machine's cache with pip, once. Call it before a test gives
 * `REFADGEN_CACHE` a folder of its own.
 */
export async function openVinoForTests(): Promise<string> {
  return process.env.REFADGEN_OPENVINO ? process.env.REFADGEN_OPENVINO : installOpenVino();
}
