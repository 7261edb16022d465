CREATE TABLE `dead_letters` (
	`call_id` text PRIMARY KEY NOT NULL,
	`agent_id` text NOT NULL,
	`reason` text NOT NULL,
	`attempts` integer NOT NULL,
	`at` integer NOT NULL
);
