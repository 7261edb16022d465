CREATE TABLE `batches` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant` text NOT NULL,
	`state` text NOT NULL,
	`total` integer NOT NULL,
	`completed` integer NOT NULL,
	`failed` integer NOT NULL,
	`created_at` integer NOT NULL,
	`as_of` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `batches_tenant` ON `batches` (`tenant`,`id`);