/**
 * A one-layer attention graph in ONNX's protobuf encoding, which is simple enough to write by hand: a field is a
 * tag (number << 3 | wire type) and a varint or a length-prefixed payload.
 */

function varint(value: number): number[] {
  const bytes: number[] = [];
  while (value > 127) {
    bytes.push((value % 128) | 128);
    value = Math.floor(value / 128);
  }
  return [...bytes, value];
}

const integer = (field: number, value: number): number[] => [...varint(field << 3), ...varint(value)];
const bytes = (field: number, payload: readonly number[]): number[] => [
  ...varint((field << 3) | 2),
  ...varint(payload.length),
  ...payload,
];
const text = (field: number, value: string): number[] => bytes(field, [...new TextEncoder().encode(value)]);
const float = (field: number, value: number): number[] => [
  ...varint((field << 3) | 5),
  ...new Uint8Array(Float32Array.of(value).buffer),
];

function node(
  operator: string,
  inputs: string[],
  output: string,
  attributes: number[][] = [],
  domain = "",
): number[] {
  return [
    ...inputs.flatMap((name) => text(1, name)),
    ...text(2, output),
    ...text(4, operator),
    ...attributes.flatMap((attribute) => bytes(5, attribute)),
    ...(domain ? text(7, domain) : []),
  ];
}

/** AttributeProto: type 2 is an integer, type 1 a float, type 7 a list of integers. */
const integerAttribute = (
  name: string,
  value: number,
) => [...text(1, name), ...integer(3, value), ...integer(20, 2)];
const floatAttribute = (
  name: string,
  value: number,
) => [...text(1, name), ...float(2, value), ...integer(20, 1)];
const integersAttribute = (
  name: string,
  values: readonly number[],
) => [...text(1, name), ...values.flatMap((value) => integer(8, value)), ...integer(20, 7)];

function matrix(name: string, rows: number, columns: number): number[] {
  const dimensions = [1, rows, columns].flatMap((extent) => bytes(1, integer(1, extent)));
  return [...text(1, name), ...bytes(2, bytes(1, [...integer(1, 1), ...bytes(2, dimensions)]))];
}

/** How the scores are computed: by one operator of ONNX Runtime's own, or by those of the standard. */
export type ScoreOperators = "fused" | "standard";

/** The nodes of s = q kᵀ / sqrt d. */
function scoreNodes(operators: ScoreOperators, scale: number): number[][] {
  if (operators === "fused") {
    const attributes = [integerAttribute("transB", 1), floatAttribute("alpha", scale)];
    return [node("FusedMatMul", ["q", "k"], "s", attributes, "com.microsoft")];
  }
  return [
    node("Constant", [], "scale", [floatAttribute("value_float", scale)]),
    node("Mul", ["q", "scale"], "scaled"),
    node("Transpose", ["k"], "transposed", [integersAttribute("perm", [0, 2, 1])]),
    node("MatMul", ["scaled", "transposed"], "s"),
  ];
}

/**
 * softmax(q kᵀ / sqrt d) v as the scores, Softmax and MatMul.
 *
 * @param operators FusedMatMul is what ONNX Runtime computes fastest on a CPU. WebGPU does not have it: there it would
 * be left to WebAssembly without a word.
 */
export function onnxAttention(
  queries: number,
  keys: number,
  features: number,
  valueFeatures: number,
  operators: ScoreOperators = "fused",
): Uint8Array {
  const nodes = [
    ...scoreNodes(operators, 1 / Math.sqrt(features)),
    node("Softmax", ["s"], "p", [integerAttribute("axis", 2)]),
    node("MatMul", ["p", "v"], "o"),
  ];
  const graph = [
    ...nodes.flatMap((one) => bytes(1, one)),
    ...text(2, "attention"),
    ...bytes(11, matrix("q", queries, features)),
    ...bytes(11, matrix("k", keys, features)),
    ...bytes(11, matrix("v", keys, valueFeatures)),
    ...bytes(12, matrix("o", queries, valueFeatures)),
  ];
  const operatorSets = [integer(2, 17), [...text(1, "com.microsoft"), ...integer(2, 1)]];
  return Uint8Array.from([
    ...integer(1, 8),
    ...bytes(7, graph),
    ...operatorSets.flatMap((set) => bytes(8, set)),
  ]);
}
