ALTER TABLE `processes` ADD `due_at` integer;--> statement-breakpoint
CREATE INDEX `processes_due` ON `processes` (`due_at`);--> statement-breakpoint
ALTER TABLE `quota_waiters` ADD `tokens` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `quota_waiters` ADD `nano_usd` integer DEFAULT 0 NOT NULL;