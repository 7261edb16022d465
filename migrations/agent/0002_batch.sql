CREATE TABLE `strays` (
	`call_id` text PRIMARY KEY NOT NULL,
	`step` integer NOT NULL,
	`code` text NOT NULL,
	`reserved_nano_usd` integer NOT NULL,
	`price` text NOT NULL,
	`at` integer NOT NULL
);
