import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { type OpenApiDocument, type Operation, operationsOf } from "./document.ts";

/** Whether a reply is one of those that the document promises for its request. */

const DOCUMENT = "openapi.json";

export class ReplyCheck {
  readonly #operations: Operation[];
  readonly #ajv = new Ajv2020({ strict: false, allErrors: false });
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    this.#operations = operationsOf(document);
    formats.default(this.#ajv);
    this.#ajv.addSchema(document, DOCUMENT);
  }

  /** What is wrong with it, or null. `pathname` is as it was sent: an odd name in it may have led to another route. */
  misfit(method: string, pathname: string, reply: { status: number; type: string; text: string }): string | null {
    if (reply.status >= 500) return `status ${reply.status}`;
    const operation = this.#operations.find((one) => one.method === method && matches(one.path, pathname));
    if (operation === undefined)
      return reply.status >= 400 ? null : `status ${reply.status} of a route that is not described`;
    const status = String(reply.status) in operation.responses ? String(reply.status) : "default";
    const content = operation.responses[status]?.content;
    if (content === undefined) return reply.text === "" ? null : "a body where none is described";
    const type = reply.type.split(";")[0] ?? "";
    if (!(type in content)) return `type ${type}, described are ${Object.keys(content).join(", ")}`;
    return type.endsWith("json") ? this.#misfitOf(operation, status, type, reply.text) : null;
  }

  #misfitOf({ path, method }: Operation, status: string, type: string, text: string): string | null {
    const pointer = ["paths", path, method.toLowerCase(), "responses", status, "content", type, "schema"].map(escaped);
    const validate = this.#validator(`${DOCUMENT}#/${pointer.join("/")}`);
    return validate(JSON.parse(text)) ? null : this.#ajv.errorsText(validate.errors);
  }

  #validator($ref: string): ValidateFunction {
    const known = this.#validators.get($ref) ?? this.#ajv.compile({ $ref });
    this.#validators.set($ref, known);
    return known;
  }
}

/** A part of a JSON pointer inside a URI fragment. */
function escaped(part: string): string {
  return encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));
}

function matches(template: string, pathname: string): boolean {
  const pattern = template
    .replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&")
    .replaceAll("{path}", ".+")
    .replaceAll(/\{\w+\}/g, "[^/]+");
  return new RegExp(`^${pattern}$`).test(pathname);
}
