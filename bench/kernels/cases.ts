import { attendCases } from "./attend_cases.ts";
import type { KernelCase } from "./kernel_case.ts";
import { memoryCases } from "./memory_cases.ts";
import { productCases } from "./product_cases.ts";

/** Every kernel that the methods are made of. */
export const kernelCases: readonly KernelCase[] = [...attendCases, ...productCases, ...memoryCases];
