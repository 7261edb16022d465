ALTER TABLE `calls` ADD `payer` text;--> statement-breakpoint
ALTER TABLE `processes` ADD `payer` text;