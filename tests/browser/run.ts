/**
 * Attention in a real browser, on WebAssembly and on WebGPU (SwiftShader), beside the reference:
 * `deno task test:browser [path of Chromium or Chrome]`.
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { compareDevices } from "./page.ts";
import { bundle, whileServing } from "./serve.ts";

// Loaded at run time by name: Deno would fetch the package of a literal for every check of this folder.
const PUPPETEER: string = "npm:puppeteer-core@25.16.0";
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** f32 rounding of a few hundred keys. */
const LARGEST_ERROR = 1e-5;
/** SwiftShader compiles some kernels for a minute. */
const LIMIT_MS = 600_000;

const executablePath = process.argv[2] ?? BROWSERS.find(existsSync);
if (!executablePath) {
  throw new Error("No browser: name one, or install one (on Debian: apt-get install chromium)");
}
const { default: puppeteer } = await import(PUPPETEER);
const browser = await puppeteer.launch({
  executablePath,
  protocolTimeout: LIMIT_MS,
  args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
});
try {
  await whileServing(await bundle(), async (url) => {
    const page = await browser.newPage();
    await page.goto(url);
    const outcomes: Awaited<ReturnType<typeof compareDevices>> = await page.evaluate(
      compareDevices,
      `${url}mod.js`,
    );
    for (const { device, adapter, method, error, milliseconds } of outcomes) {
      const right = error <= LARGEST_ERROR;
      console.log(
        `${right ? "ok    " : "FAILED"} ${device} (${adapter}), ${method}: error ${error.toExponential(1)}, ${
          milliseconds.toFixed(0)
        } ms`,
      );
      if (!right) process.exitCode = 1;
    }
  });
} finally {
  await browser.close();
}
