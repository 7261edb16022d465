ALTER TABLE `calls` ADD `reasoning_tokens` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `calls` ADD `price` text DEFAULT '{}' NOT NULL;