import type { DeviceKind } from "../../kernels/backend.ts";
import { attendCases } from "./attend_cases.ts";
import type { KernelCase } from "./kernel_case.ts";
import { memoryCases } from "./memory_cases.ts";
import { productCases } from "./product_cases.ts";

/** Every kernel that the methods are made of, on a kind of device. */
export function kernelCases(kind: DeviceKind): KernelCase[] {
  return [...attendCases, ...productCases, ...memoryCases].filter(({ on = kind }) => on === kind);
}
