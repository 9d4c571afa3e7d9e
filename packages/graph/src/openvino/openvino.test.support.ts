import { SessionError } from "../session/error.js";
import { installOpenVino } from "./install.js";

/**
 * The folder of OpenVINO's libraries: `REFADGEN_OPENVINO`, else put into the machine's cache with pip, once. Call it before a test gives
 * `REFADGEN_CACHE` a folder of its own. Where it cannot be had, as without Python, it says so and gives nothing; on CI that is a failure.
 */
export async function openVinoForTests(): Promise<string | undefined> {
  if (process.env.REFADGEN_OPENVINO) return process.env.REFADGEN_OPENVINO;
  try {
    return await installOpenVino();
  } catch (error) {
    if (process.env.CI || !(error instanceof SessionError && error.code === "runtime-missing")) throw error;
    console.warn(`Tests of OpenVINO are left out: ${error.message}`);
    return undefined;
  }
}
