INSERT OR IGNORE INTO `tenants` (`id`, `name`, `created_at`) VALUES ('default', 'default', unixepoch() * 1000);
