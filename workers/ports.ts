/** The ports of the stateless shell: those of the objects. */
export { systemClock as clock, systemHash as hash, systemRandom as random } from "../durable-objects/ports.ts";
