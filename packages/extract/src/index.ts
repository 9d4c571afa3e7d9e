export type {Extraction} from "./contract.js";
export * from "./auto.js";
