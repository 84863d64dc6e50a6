import type { DeviceKind } from "../../kernels/backend.ts";
import type { PrimitiveName } from "../../kernels/primitives.ts";
import { attendCases } from "./attend_cases.ts";
import { coresetCases } from "./coreset_cases.ts";
import type { KernelCase, KernelCases } from "./kernel_case.ts";
import { memoryCases } from "./memory_cases.ts";
import { productCases } from "./product_cases.ts";
import { treeCases } from "./tree_cases.ts";

/** Every primitive. */
const cases: KernelCases<PrimitiveName> = {
  ...attendCases,
  ...productCases,
  ...coresetCases,
  ...memoryCases,
  ...treeCases,
};

/** Every kernel that the methods are made of, on a kind of device. */
export function kernelCases(kind: DeviceKind): KernelCase[] {
  return Object.values(cases).flat().filter(({ on = kind }) => on === kind);
}
