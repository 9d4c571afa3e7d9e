export { loadOpenVino, type OpenVinoApi } from "./api.js";
export { type InstallOptions, installOpenVino, openVinoVersion } from "./install.js";
export { findOpenVino, installed, type OpenVinoLibrary, openVinoShelf } from "./library.js";
export { type OpenVinoSessionOptions, openOpenVinoSession } from "./session.js";
