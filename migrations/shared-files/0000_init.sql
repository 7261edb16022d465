CREATE TABLE `file_chunks` (
	`path` text NOT NULL,
	`position` integer NOT NULL,
	`content` blob NOT NULL,
	PRIMARY KEY(`path`, `position`)
);
--> statement-breakpoint
CREATE TABLE `file_labels` (
	`path` text PRIMARY KEY NOT NULL,
	`label` text NOT NULL
);
--> statement-breakpoint
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
CREATE UNIQUE INDEX `file_versions_by_path` ON `file_versions` (`path`,`version`);--> statement-breakpoint
CREATE TABLE `file_writes` (
	`ordinal` integer PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`action` text NOT NULL,
	`answer` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `file_writes_key_unique` ON `file_writes` (`key`);--> statement-breakpoint
CREATE TABLE `files` (
	`path` text PRIMARY KEY NOT NULL,
	`version` integer NOT NULL,
	`bytes` integer NOT NULL,
	`sha256` text NOT NULL,
	`updated_at` integer NOT NULL
);
