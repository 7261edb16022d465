DROP INDEX `run_queue_order`;--> statement-breakpoint
ALTER TABLE `run_queue` ADD `gate` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `run_queue` ADD `tokens` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `run_queue_order` ON `run_queue` (`gate`,`urgent`,`vtime`,`priority`,`enqueued_at`);--> statement-breakpoint
ALTER TABLE `slots` ADD `gate` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `slots` ADD `epoch` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `slots_gate` ON `slots` (`gate`);