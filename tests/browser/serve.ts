import { deno } from "../child.ts";

/** The module as one file for browsers. */
export async function bundle(): Promise<string> {
  const { code, stdout, stderr } = await deno(["bundle", "--no-lock", "--platform=browser", "mod.ts"]);
  if (code !== 0) throw new Error(`Cannot bundle mod.ts: ${stderr}`);
  return stdout;
}

/** Serves a module, and a page that is cross-origin isolated, so that memory can be shared with workers. */
export async function whileServing(module: string, body: (url: string) => Promise<void>): Promise<void> {
  const headers = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
  };
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const script = new URL(request.url).pathname === "/mod.js";
    const type = script ? "text/javascript" : "text/html";
    return new Response(script ? module : "<!doctype html>", {
      headers: { ...headers, "content-type": type },
    });
  });
  await body(`http://127.0.0.1:${server.addr.port}/`);
}
