/** The kernel's version: as in package.json, shown by `/health`, and what a crash loop is counted under. */
export const VERSION = "0.1.0";
