CREATE TABLE `file_labels` (
	`path` text PRIMARY KEY NOT NULL,
	`label` text NOT NULL
);
--> statement-breakpoint
ALTER TABLE `pages` ADD `label` text DEFAULT 'untrusted/private' NOT NULL;--> statement-breakpoint
ALTER TABLE `mailbox` ADD `label` text DEFAULT 'user/public' NOT NULL;--> statement-breakpoint
ALTER TABLE `process` ADD `label` text DEFAULT 'untrusted/private' NOT NULL;--> statement-breakpoint
ALTER TABLE `process` ADD `stripped` integer DEFAULT 0 NOT NULL;