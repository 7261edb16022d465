ALTER TABLE `processes` ADD `level` text;--> statement-breakpoint
ALTER TABLE `processes` ADD `grants` text;--> statement-breakpoint
ALTER TABLE `processes` ADD `stored` text;