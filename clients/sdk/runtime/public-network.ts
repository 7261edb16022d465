/**
 * A network without private addresses, judged after names are resolved, which the Worker cannot do itself: a public name for a
 * private address leads nowhere. Requests that pass the egress guard leave by it; see docs/egress.md.
 */
export const PUBLIC_NETWORK = { network: { allow: ["public"], tlsOptions: { trustBrowserCas: true } } };
