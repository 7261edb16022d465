import { OpenAPIHono } from "@hono/zod-openapi";
import { systemClock } from "../../durable-objects/ports.ts";
import { cachedChat, cachedEmbeddings } from "../../kernel/llm/cache/cached-reply.ts";
import { ReplyCache } from "../../kernel/llm/cache/reply-cache.ts";
import { AccessLog } from "./access-log.ts";
import type { AppEnv, Replies } from "./context.ts";
import { KeyRing } from "./key-ring.ts";
import { accessLogged } from "./middleware/access-logged.ts";
import { authenticated } from "./middleware/authenticated.ts";
import { knownAgent } from "./middleware/known-agent.ts";
import { noRoute } from "./middleware/no-route.ts";
import { openAiErrors } from "./middleware/openai-errors.ts";
import { permitted } from "./middleware/permitted.ts";
import { requestId } from "./middleware/request-id.ts";
import { safeHeaders } from "./middleware/safe-headers.ts";
import { unexpected } from "./middleware/unexpected.ts";
import { validInput } from "./middleware/valid-input.ts";
import { wholeBody } from "./middleware/whole-body.ts";
import { withGateway } from "./middleware/with-gateway.ts";
import { withReplies } from "./middleware/with-replies.ts";
import { withinRate } from "./middleware/within-rate.ts";
import { registerSecurity } from "./openapi.ts";
import { agents } from "./routes/agents.ts";
import { approvalRules } from "./routes/approval-rules.ts";
import { approvals } from "./routes/approvals.ts";
import { audit } from "./routes/audit.ts";
import { batches } from "./routes/batches.ts";
import { cache } from "./routes/cache.ts";
import { chatCompletions } from "./routes/chat-completions.ts";
import { costs } from "./routes/costs.ts";
import { credentials } from "./routes/credentials.ts";
import { deadLetters } from "./routes/dead-letters.ts";
import { docs } from "./routes/docs.ts";
import { embeddings } from "./routes/embeddings.ts";
import { events } from "./routes/events.ts";
import { fileVersions } from "./routes/file-versions.ts";
import { files } from "./routes/files.ts";
import { health } from "./routes/health.ts";
import { keys } from "./routes/keys.ts";
import { messages } from "./routes/messages.ts";
import { models } from "./routes/models.ts";
import { pages } from "./routes/pages.ts";
import { provenance } from "./routes/provenance.ts";
import { providers } from "./routes/providers.ts";
import { quotas } from "./routes/quotas.ts";
import { responses } from "./routes/responses.ts";
import { steps } from "./routes/steps.ts";
import { tenants } from "./routes/tenants.ts";
import { tools } from "./routes/tools.ts";

/**
 * The HTTP API: one factory, one file per resource. The order is the order of trust: name the request, let the caller in,
 * ask what it may, find the agent, read the body, check it, and only then wake an object. A route is valid input, one call,
 * one reply.
 */

const RESOURCES = [
  health,
  docs,
  agents,
  messages,
  pages,
  files,
  fileVersions,
  steps,
  events,
  approvals,
  approvalRules,
  provenance,
  audit,
  costs,
  tools,
  models,
  chatCompletions,
  embeddings,
  cache,
  responses,
  providers,
  deadLetters,
  batches,
  quotas,
  keys,
  tenants,
  credentials,
] as const;

/** What this isolate keeps. */
function newReplies(): Replies {
  return {
    chat: new ReplyCache(systemClock, cachedChat),
    embeddings: new ReplyCache(systemClock, cachedEmbeddings),
  };
}

export function createApp(): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: validInput });
  app.use(requestId, safeHeaders, openAiErrors, wholeBody);
  app.use("/v1/*", accessLogged(new AccessLog(systemClock, (line) => console.log(line))));
  app.use("/v1/*", authenticated(new KeyRing(systemClock)), withinRate, permitted(app));
  app.use("/v1/*", withReplies(newReplies()), withGateway());
  app.use("/v1/agents/:id/*", knownAgent);
  for (const resource of RESOURCES) resource(app);
  registerSecurity(app);
  app.notFound(noRoute(app));
  app.onError(unexpected);
  return app;
}
