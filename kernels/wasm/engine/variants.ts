import { DeviceUnavailableError } from "../../errors.ts";
import { plainShared, plainUnshared, relaxedShared, relaxedUnshared } from "../module.generated.ts";

/** One of the four builds of the module. */
export interface Variant {
  readonly relaxed: boolean;
  readonly shared: boolean;
}

/** A module whose only function does one relaxed multiply-add: valid where the engine knows relaxed SIMD. */
// deno-fmt-ignore
const RELAXED_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0,
  65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11,
]);

/** Whether this engine has relaxed SIMD (fused multiply-add). */
export function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(RELAXED_PROBE);
}

/**
 * Compiles a variant from its embedded bytes.
 *
 * @throws {DeviceUnavailableError} If the engine has no SIMD, or a policy of the page forbids it.
 */
export async function compileVariant({ relaxed, shared }: Variant): Promise<WebAssembly.Module> {
  const text = relaxed ? (shared ? relaxedShared : relaxedUnshared) : (shared ? plainShared : plainUnshared);
  try {
    return await WebAssembly.compile(bytesOf(text));
  } catch (cause) {
    throw new DeviceUnavailableError(
      `Cannot open WebAssembly: the engine refuses the module, for want of SIMD or by a content security policy: ${
        (cause as Error).message
      }`,
      { cause },
    );
  }
}

/** Decodes base64. The engine's own decoder, where there is one, is a hundred times faster. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const { fromBase64 } = Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> };
  return fromBase64 ? fromBase64(text) : Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
