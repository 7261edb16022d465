CREATE TABLE `seals` (
	`object` text PRIMARY KEY NOT NULL,
	`seq` integer NOT NULL,
	`head` text NOT NULL,
	`digest` text NOT NULL,
	`up_to` integer,
	`at` integer,
	`expected` text,
	`broken_at` integer
);
--> statement-breakpoint
CREATE INDEX `seals_open` ON `seals` (`up_to`) WHERE up_to IS NOT NULL;--> statement-breakpoint
ALTER TABLE `processes` ADD `head` text;