CREATE TABLE `credentials` (
	`tenant` text NOT NULL,
	`name` text NOT NULL,
	`id` text NOT NULL,
	`version` integer NOT NULL,
	`hosts` text NOT NULL,
	`key_id` text NOT NULL,
	`sealed` text NOT NULL,
	`fingerprint` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer,
	PRIMARY KEY(`tenant`, `name`)
);
--> statement-breakpoint
ALTER TABLE `api_keys` ADD `scopes` text;--> statement-breakpoint
ALTER TABLE `api_keys` ADD `replaced_by` text;