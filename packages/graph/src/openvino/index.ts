export { findOpenVino, openVinoShelf, type OpenVinoLibrary } from "./library.js";
export { openOpenVinoSession, type OpenVinoSessionOptions } from "./session.js";
