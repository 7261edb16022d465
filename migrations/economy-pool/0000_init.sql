CREATE TABLE `calls` (
	`position` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`call_id` text NOT NULL,
	`message` text NOT NULL,
	`state` text NOT NULL,
	`lot` integer,
	`request` text NOT NULL,
	`bytes` integer NOT NULL,
	`outcome` text,
	`asked_at` integer NOT NULL,
	`due_at` integer NOT NULL,
	`failures` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `calls_call_id_unique` ON `calls` (`call_id`);--> statement-breakpoint
CREATE INDEX `calls_state` ON `calls` (`state`,`position`);--> statement-breakpoint
CREATE TABLE `lots` (
	`lot` integer PRIMARY KEY NOT NULL,
	`provider` text NOT NULL,
	`model` text NOT NULL,
	`driver` text NOT NULL,
	`state` text NOT NULL,
	`requests` integer NOT NULL,
	`bytes` integer NOT NULL,
	`input_file_id` text,
	`vendor_batch_id` text,
	`submitted_at` integer,
	`cancelled_at` integer,
	`polls` integer NOT NULL,
	`failures` integer NOT NULL,
	`due_at` integer NOT NULL
);
