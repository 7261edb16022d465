CREATE TABLE `audit_checkpoints` (
	`tenant` text NOT NULL,
	`object` text NOT NULL,
	`seq` integer NOT NULL,
	`from_seq` integer NOT NULL,
	`head` text NOT NULL,
	`segment` text NOT NULL,
	`segment_sha256` text NOT NULL,
	`at` integer NOT NULL,
	`previous` text NOT NULL,
	`key_id` text,
	`signature` text,
	`removed_at` integer,
	`removal_signature` text,
	PRIMARY KEY(`tenant`, `object`, `seq`)
);
--> statement-breakpoint
CREATE INDEX `audit_checkpoints_kept` ON `audit_checkpoints` (`at`) WHERE removed_at IS NULL;