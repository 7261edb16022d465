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
	`fence` integer NOT NULL,
	`request_id` text,
	`retry_at` integer,
	`retries` integer NOT NULL,
	`prompt_tokens` integer NOT NULL,
	`cached_tokens` integer NOT NULL,
	`completion_tokens` integer NOT NULL,
	`cost_nano_usd` integer NOT NULL,
	`steps` integer NOT NULL,
	`tool_calls` integer NOT NULL,
	`exported_seq` integer NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL
);
