/** The kinds of device, the best first where hardware has it. */
export const deviceKinds = ["webgpu", "wasm", "reference"] as const;
/** One of {@link deviceKinds}. */
export type DeviceKind = typeof deviceKinds[number];

/** The kinds as a sentence names them: "webgpu, wasm or reference". */
export const deviceKindsInWords: string = `${deviceKinds.slice(0, -1).join(", ")} or ${deviceKinds.at(-1)}`;
