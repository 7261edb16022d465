/** The same tables as an agent's own files have: the same driver writes them. */
export { fileChunks, fileLabels, files, fileVersions, fileWrites } from "../../agent/schema/files.ts";
