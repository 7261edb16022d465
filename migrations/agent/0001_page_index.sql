-- Terms are made by kernel/context/words.ts, so the tokenizer only splits at spaces. Contentless: the text is in `pages`.
CREATE VIRTUAL TABLE `page_index` USING fts5(body, heading, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0');
--> statement-breakpoint
CREATE VIRTUAL TABLE `page_terms` USING fts5vocab('page_index', 'row');
