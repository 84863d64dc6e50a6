// Given to `deno test --preload`: what the tests find as this machine's WebGPU is Dawn.
import { loadDawn } from "./dawn.ts";

Object.defineProperty(navigator, "gpu", { value: await loadDawn(), configurable: true });
