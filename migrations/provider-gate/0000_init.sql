CREATE TABLE `account` (
	`id` integer PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`epoch` integer NOT NULL,
	`failures` integer NOT NULL,
	`rounds` integer NOT NULL,
	`until` integer NOT NULL,
	`probe` text,
	`calls` real NOT NULL,
	`tokens` real NOT NULL,
	`filled_at` integer NOT NULL,
	`last_code` text,
	`last_at` integer
);
--> statement-breakpoint
CREATE TABLE `holders` (
	`holder` text PRIMARY KEY NOT NULL,
	`tenant` text NOT NULL,
	`calls` integer NOT NULL,
	`in_use` integer NOT NULL,
	`waiting` integer NOT NULL,
	`call_tokens` integer NOT NULL,
	`expires_at` integer NOT NULL
);
