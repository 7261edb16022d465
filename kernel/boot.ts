/**
 * The name of the scheduled event by which the local runtime says that workerd began anew: its `scheduledTime` is when.
 * No cron trigger has this name and nothing from outside can send one, so in production it never comes.
 */
export const BOOT = "@boot";
