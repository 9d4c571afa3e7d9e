import type { Trees } from "./trees.js";

export const occlusionTrees: Trees = { depth: 1, features: [], bias: -9, table: [] };
