export { loadOpenVino, type OpenVinoApi } from "./api.js";
export { findOpenVino, installed, openVinoShelf, type OpenVinoLibrary } from "./library.js";
export { type InstallOptions, installOpenVino, openVinoVersion } from "./install.js";
export { openOpenVinoSession, type OpenVinoSessionOptions } from "./session.js";
