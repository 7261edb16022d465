import { aos } from "./build/aos.ts";

/** `npm start`: serves the kernel on this machine. */

await aos(["up", ...process.argv.slice(2)]);
