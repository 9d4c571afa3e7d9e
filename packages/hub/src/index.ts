// One file; a folder of a repository
export { locate, type LocateOptions } from "./locate.js";
export { listFiles, type RepositoryOptions, snapshot, type SnapshotOptions } from "./snapshot.js";
export type { RepositoryFile } from "./repository.js";
export type { DownloadProgress, HubOptions } from "./settings.js";
// What a text means
export { parseSource, type Source } from "./source.js";
// The cache
export { assetsDirectory, hubCacheDirectory } from "./settings.js";
export { type CachedItem, hubUsage, removeCached, type UsageOptions } from "./usage.js";
// Errors
export { HubError, type HubErrorCode } from "./error.js";
export { ArgumentError, RefAdGenError } from "@refadgen/errors";
