ALTER TABLE `processes` ADD `cpu` text;--> statement-breakpoint
ALTER TABLE `quota_waiters` ADD `cpu_ms` integer DEFAULT 0 NOT NULL;