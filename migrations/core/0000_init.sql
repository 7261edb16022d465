CREATE TABLE `approvals` (
	`id` text PRIMARY KEY NOT NULL,
	`agent_id` text NOT NULL,
	`call_id` text NOT NULL,
	`kind` text NOT NULL,
	`state` text NOT NULL,
	`question` text NOT NULL,
	`options` text,
	`answer` text,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `approvals_state` ON `approvals` (`state`,`id`);--> statement-breakpoint
CREATE INDEX `approvals_agent` ON `approvals` (`agent_id`);--> statement-breakpoint
CREATE TABLE `budgets` (
	`subject` text NOT NULL,
	`metric` text NOT NULL,
	`limit` integer NOT NULL,
	`per` text NOT NULL,
	`period` text NOT NULL,
	`used` integer NOT NULL,
	`reserved` integer NOT NULL,
	PRIMARY KEY(`subject`, `metric`)
);
--> statement-breakpoint
CREATE TABLE `calls` (
	`id` text PRIMARY KEY NOT NULL,
	`agent_id` text NOT NULL,
	`provider` text NOT NULL,
	`model` text NOT NULL,
	`state` text NOT NULL,
	`input_bound` integer NOT NULL,
	`output_bound` integer NOT NULL,
	`reserved_nano_usd` integer NOT NULL,
	`prompt_tokens` integer NOT NULL,
	`cached_tokens` integer NOT NULL,
	`completion_tokens` integer NOT NULL,
	`cost_nano_usd` integer NOT NULL,
	`price` text NOT NULL,
	`opened_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`settled_at` integer,
	`changed` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `calls_open` ON `calls` (`state`,`expires_at`);--> statement-breakpoint
CREATE INDEX `calls_changed` ON `calls` (`changed`);--> statement-breakpoint
CREATE INDEX `calls_agent` ON `calls` (`agent_id`);--> statement-breakpoint
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
CREATE TABLE `meta` (
	`key` text PRIMARY KEY NOT NULL,
	`value` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `processes` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`state` text NOT NULL,
	`priority` integer NOT NULL,
	`parent_id` text,
	`block` text NOT NULL,
	`spec` text,
	`seq` integer NOT NULL,
	`vtime` integer NOT NULL,
	`changed` integer NOT NULL,
	`erased_at` integer
);
--> statement-breakpoint
CREATE INDEX `processes_changed` ON `processes` (`changed`);--> statement-breakpoint
CREATE INDEX `processes_parent` ON `processes` (`parent_id`);--> statement-breakpoint
CREATE INDEX `processes_unborn` ON `processes` (`spec`);--> statement-breakpoint
CREATE TABLE `quota_waiters` (
	`agent_id` text PRIMARY KEY NOT NULL,
	`since` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `run_queue` (
	`agent_id` text PRIMARY KEY NOT NULL,
	`urgent` integer NOT NULL,
	`vtime` integer NOT NULL,
	`priority` integer NOT NULL,
	`enqueued_at` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `run_queue_order` ON `run_queue` (`urgent`,`vtime`,`priority`,`enqueued_at`);--> statement-breakpoint
CREATE TABLE `segments` (
	`ordinal` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`agent_id` text NOT NULL,
	`row` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `signals` (
	`agent_id` text PRIMARY KEY NOT NULL,
	`signal` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `slots` (
	`agent_id` text PRIMARY KEY NOT NULL,
	`fence` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`pushed` integer NOT NULL
);
