import { aos } from "./build/aos.ts";

/** `npm run demo`: the main job, offline and without a key. */

await aos(["demo", ...process.argv.slice(2)]);
