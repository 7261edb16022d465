ALTER TABLE `processes` ADD `denials` text DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE `processes` ADD `tools` text;