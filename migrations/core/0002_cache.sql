ALTER TABLE `calls` ADD `cache` text;--> statement-breakpoint
ALTER TABLE `calls` ADD `saved_nano_usd` integer DEFAULT 0 NOT NULL;