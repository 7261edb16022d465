import type { Context } from "hono";
import type { ReplyCache } from "../../kernel/llm/cache/reply-cache.ts";
import type { ChatReply } from "../../kernel/llm/chat.ts";
import type { EmbeddingReply } from "../../kernel/llm/embeddings/embedding.ts";
import type { Gateway } from "../../kernel/llm/gate/pass.ts";
import type { Blocks } from "../../kernel/storage/blocks.ts";
import type { Env } from "../env.ts";
import type { AgentObject, ReachAgent } from "../objects.ts";
import type { Principal } from "./authenticate.ts";

/** The replies of models that may be given again, as one isolate keeps them. */
export interface Replies {
  chat: ReplyCache<ChatReply>;
  embeddings: ReplyCache<EmbeddingReply>;
}

/** What travels with a request through the app. Each variable is set by the one middleware that is named after it. */
export interface AppEnv {
  Bindings: Env;
  Variables: {
    requestId: string;
    /** On every route under `/v1`. */
    principal: Principal;
    /** Those of this isolate. */
    replies: Replies;
    /** The way through the gates of vendor accounts, for calls of keys. */
    gateway: Gateway;
    /** On every route under `/v1/agents/{id}`. */
    agent: AgentObject;
    /** The same, for those who wait longer than one call. */
    reachAgent: ReachAgent;
    /** The one long string of the body, as UTF-8, on a route that takes one. */
    lifted: Blocks;
  };
}

export type AppContext = Context<AppEnv>;
