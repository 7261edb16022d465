CREATE TABLE `approval_rules` (
	`id` text PRIMARY KEY NOT NULL,
	`decision` text NOT NULL,
	`scope` text NOT NULL,
	`agent_id` text,
	`tool` text NOT NULL,
	`kind` text NOT NULL,
	`value` text,
	`until_at` integer,
	`note` text,
	`actor` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `approval_rules_tool` ON `approval_rules` (`tool`);--> statement-breakpoint
ALTER TABLE `processes` ADD `asks` text DEFAULT '[]' NOT NULL;