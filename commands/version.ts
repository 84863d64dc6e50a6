/** The version that deno.json gives, which a program run from a URL may not have at hand; a test compares them. */
export const VERSION = "0.1.0";
