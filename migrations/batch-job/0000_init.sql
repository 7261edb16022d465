CREATE TABLE `bills` (
	`call_id` text PRIMARY KEY NOT NULL,
	`settlement` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `job` (
	`id` text PRIMARY KEY NOT NULL,
	`state` text NOT NULL,
	`actor` text NOT NULL,
	`total` integer NOT NULL,
	`completed` integer NOT NULL,
	`failed` integer NOT NULL,
	`cost_nano_usd` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`finished_at` integer,
	`error` text,
	`pooled` text NOT NULL,
	`unlisted` integer NOT NULL
);
--> statement-breakpoint
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
--> statement-breakpoint
CREATE TABLE `requests` (
	`position` integer PRIMARY KEY NOT NULL,
	`custom_id` text NOT NULL,
	`model` text NOT NULL,
	`bytes` integer NOT NULL,
	`body` text NOT NULL,
	`state` text NOT NULL,
	`lot` integer,
	`attempt` integer NOT NULL,
	`max_output_tokens` integer NOT NULL,
	`reserved_nano_usd` integer NOT NULL,
	`retry_at` integer NOT NULL,
	`result` text
);
--> statement-breakpoint
CREATE INDEX `requests_state` ON `requests` (`state`,`position`);--> statement-breakpoint
CREATE TABLE `result_parts` (
	`part` integer PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`offset` integer NOT NULL,
	`bytes` integer NOT NULL,
	`last_position` integer NOT NULL
);
