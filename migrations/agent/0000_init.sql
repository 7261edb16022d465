CREATE TABLE `context_state` (
	`id` integer PRIMARY KEY NOT NULL,
	`clock` integer NOT NULL,
	`minor_faults` integer NOT NULL,
	`major_faults` integer NOT NULL,
	`evictions` integer NOT NULL,
	`token_factor` real NOT NULL,
	`tool_tokens` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `pages` (
	`ordinal` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`kind` text NOT NULL,
	`tier` text NOT NULL,
	`place` text,
	`entry` integer,
	`tokens` integer NOT NULL,
	`bytes` integer NOT NULL,
	`sha256` text NOT NULL,
	`pinned` integer NOT NULL,
	`importance` real NOT NULL,
	`source` text NOT NULL,
	`preview` text NOT NULL,
	`used_at` integer NOT NULL,
	`hot_at` integer,
	`stubbed_at` integer,
	`segment_id` text,
	`segment_offset` integer,
	`created_at` integer NOT NULL,
	`content` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `pages_id_unique` ON `pages` (`id`);--> statement-breakpoint
CREATE INDEX `pages_tier` ON `pages` (`tier`,`used_at`,`tokens`,`bytes`);--> statement-breakpoint
CREATE INDEX `pages_stub` ON `pages` (`stubbed_at`) WHERE stubbed_at IS NOT NULL;--> statement-breakpoint
CREATE TABLE `segments` (
	`id` text PRIMARY KEY NOT NULL,
	`key` text NOT NULL,
	`pages` integer NOT NULL,
	`live` integer NOT NULL,
	`bytes` integer NOT NULL,
	`sha256` text NOT NULL,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `file_chunks` (
	`path` text NOT NULL,
	`position` integer NOT NULL,
	`content` blob NOT NULL,
	PRIMARY KEY(`path`, `position`)
);
--> statement-breakpoint
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
--> statement-breakpoint
CREATE TABLE `idempotency` (
	`key` text PRIMARY KEY NOT NULL,
	`body_sha256` text NOT NULL,
	`answer` text NOT NULL,
	`at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `log` (
	`seq` integer PRIMARY KEY NOT NULL,
	`at` integer NOT NULL,
	`kind` text NOT NULL,
	`call_id` text,
	`actor` text NOT NULL,
	`data` text NOT NULL,
	`hash` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `mailbox` (
	`ordinal` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`state` text NOT NULL,
	`content` text NOT NULL,
	`sender` text NOT NULL,
	`reply` text,
	`error_code` text,
	`error_message` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `mailbox_id_unique` ON `mailbox` (`id`);--> statement-breakpoint
CREATE INDEX `mailbox_state` ON `mailbox` (`state`,`ordinal`);--> statement-breakpoint
CREATE TABLE `pending` (
	`call_id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`effect` text NOT NULL,
	`state` text NOT NULL,
	`message_id` text NOT NULL,
	`step` integer NOT NULL,
	`tool_call_id` text,
	`position` integer NOT NULL,
	`attempt` integer NOT NULL,
	`fence` integer NOT NULL,
	`input` text NOT NULL,
	`outcome` text,
	`started_at` integer NOT NULL,
	`deadline_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `process` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant` text NOT NULL,
	`name` text NOT NULL,
	`role` text NOT NULL,
	`goal` text NOT NULL,
	`instructions` text NOT NULL,
	`model` text NOT NULL,
	`lane` text NOT NULL,
	`priority` integer NOT NULL,
	`permission_level` text NOT NULL,
	`daemon` integer NOT NULL,
	`parent_id` text,
	`tools` text,
	`quotas` text NOT NULL,
	`window_tokens` integer NOT NULL,
	`page_tokens` integer NOT NULL,
	`replacement` text NOT NULL,
	`max_output_tokens` integer NOT NULL,
	`deadline_at` integer,
	`state` text NOT NULL,
	`wait_reason` text,
	`stop_reason` text,
	`exit_code` integer,
	`exit_reason` text,
	`result` text,
	`last_error` text,
	`pending_signal` text,
	`turn_message_id` text,
	`turn_step` integer NOT NULL,
	`turn_attempt` integer NOT NULL,
	`fence` integer NOT NULL,
	`retry_at` integer,
	`retries` integer NOT NULL,
	`deaths` integer NOT NULL,
	`deaths_version` text NOT NULL,
	`prompt_tokens` integer NOT NULL,
	`cached_tokens` integer NOT NULL,
	`completion_tokens` integer NOT NULL,
	`cost_nano_usd` integer NOT NULL,
	`steps` integer NOT NULL,
	`tool_calls` integer NOT NULL,
	`exported_seq` integer NOT NULL,
	`erased_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
