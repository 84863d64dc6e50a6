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

/** AttributeProto: type 2 is an integer, type 1 a float. */
const integerAttribute = (
  name: string,
  value: number,
) => [...text(1, name), ...integer(3, value), ...integer(20, 2)];
const floatAttribute = (
  name: string,
  value: number,
) => [...text(1, name), ...float(2, value), ...integer(20, 1)];

function matrix(name: string, rows: number, columns: number): number[] {
  const dimensions = [1, rows, columns].flatMap((extent) => bytes(1, integer(1, extent)));
  return [...text(1, name), ...bytes(2, bytes(1, [...integer(1, 1), ...bytes(2, dimensions)]))];
}

/** softmax(q kᵀ / sqrt d) v as FusedMatMul, Softmax and MatMul: what ONNX Runtime computes fastest on a CPU. */
export function onnxAttention(
  queries: number,
  keys: number,
  features: number,
  valueFeatures: number,
): Uint8Array {
  const scores = [integerAttribute("transB", 1), floatAttribute("alpha", 1 / Math.sqrt(features))];
  const graph = [
    ...bytes(1, node("FusedMatMul", ["q", "k"], "s", scores, "com.microsoft")),
    ...bytes(1, node("Softmax", ["s"], "p", [integerAttribute("axis", 2)])),
    ...bytes(1, node("MatMul", ["p", "v"], "o")),
    ...text(2, "attention"),
    ...bytes(11, matrix("q", queries, features)),
    ...bytes(11, matrix("k", keys, features)),
    ...bytes(11, matrix("v", keys, valueFeatures)),
    ...bytes(12, matrix("o", queries, valueFeatures)),
  ];
  const operators = [integer(2, 17), [...text(1, "com.microsoft"), ...integer(2, 1)]];
  return Uint8Array.from([
    ...integer(1, 8),
    ...bytes(7, graph),
    ...operators.flatMap((set) => bytes(8, set)),
  ]);
}
