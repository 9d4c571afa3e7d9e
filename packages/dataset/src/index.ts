// The parts of a data set
export type * from "./contract.js";
export { DatasetError, type DatasetErrorCode } from "./error.js";
