ALTER TABLE `approvals` ADD `action` text;--> statement-breakpoint
ALTER TABLE `approvals` ADD `decision` text;--> statement-breakpoint
ALTER TABLE `approvals` ADD `note` text;--> statement-breakpoint
ALTER TABLE `approvals` ADD `expires_at` integer;