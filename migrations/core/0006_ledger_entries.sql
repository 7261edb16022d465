ALTER TABLE `calls` ADD `cache_write_tokens` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `calls` ADD `reasoning_tokens` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `calls` ADD `resumed_from` text;--> statement-breakpoint
ALTER TABLE `calls` ADD `restarted_from` text;