CREATE TABLE `file_versions` (
	`ordinal` integer PRIMARY KEY NOT NULL,
	`path` text NOT NULL,
	`version` integer NOT NULL,
	`bytes` integer NOT NULL,
	`sha256` text NOT NULL,
	`updated_at` integer NOT NULL,
	`replaced_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `file_versions_by_path` ON `file_versions` (`path`,`version`);