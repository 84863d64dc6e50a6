/** The npm package that brings Dawn, the WebGPU of Chromium, as native code. */
const PACKAGE = "npm:webgpu@0.6.2";

/**
 * Dawn, where it can be loaded. `null` is its backend that computes nothing: it validates shaders, pipelines and
 * submissions all the same, and needs no driver.
 *
 * Only child processes load it: native code that breaks down takes its process along.
 */
export async function loadDawn(backend?: "null"): Promise<GPU> {
  // The specifier is no literal, or Deno would fetch the package before the program starts.
  const specifier: string = PACKAGE;
  const { create } = await import(specifier);
  return create(backend ? [`backend=${backend}`] : []);
}
