/**
 * A field of a protobuf message is a tag (number << 3 | wire type) and a varint or a length-prefixed payload,
 * which is simple enough to edit by hand.
 */

/** Fields of ModelProto, GraphProto, NodeProto and ValueInfoProto. */
const GRAPH = 7;
const NODE = 1, OUTPUT = 12;
const NODE_INPUT = 1, NODE_OUTPUT = 2;
const NAME = 1;
const VARINT = 0, LENGTH_PREFIXED = 2;
/** Payload bytes of the wire types of fixed size, by type. */
const FIXED: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

interface Field {
  readonly number: number;
  /** The whole field, tag included. */
  readonly bytes: Uint8Array;
  /** What follows the tag, and the length where there is one. */
  readonly payload: Uint8Array;
}

/**
 * The part of an ONNX model that computes these tensors of its graph, which are its outputs. The runtime
 * would compute what nothing needs as well.
 *
 * @throws {TypeError} If the bytes are no ONNX model, or no node gives one of the tensors.
 */
export function subgraph(model: Uint8Array, tensors: readonly string[]): Uint8Array<ArrayBuffer> {
  const fields = [...fieldsOf(model)];
  const graphs = fields.filter(({ number }) => number === GRAPH).length;
  if (graphs !== 1) throw formError("it must have one graph", graphs);
  return concatenate(fields.map((field) => {
    if (field.number !== GRAPH) return field.bytes;
    const outputs = tensors.map((name) => prefixed(OUTPUT, prefixed(NAME, new TextEncoder().encode(name))));
    const kept = neededFields([...fieldsOf(field.payload)], tensors);
    return prefixed(GRAPH, concatenate([...kept.map(({ bytes }) => bytes), ...outputs]));
  }));
}

/** The fields of a graph but its outputs and the nodes that these tensors do not depend on. */
function neededFields(graph: readonly Field[], tensors: readonly string[]): Field[] {
  const needed = new Set(tensors), missing = new Set(tensors);
  // Nodes stand after those whose outputs they take, so from the last to the first all takers are known.
  const kept = graph.toReversed().filter((field) => {
    if (field.number !== NODE) return field.number !== OUTPUT;
    const parts = [...fieldsOf(field.payload)];
    const outputs = parts.filter(({ number }) => number === NODE_OUTPUT).map(text);
    if (!outputs.some((name) => needed.has(name))) return false;
    outputs.forEach((name) => missing.delete(name));
    for (const part of parts) if (part.number === NODE_INPUT) needed.add(text(part));
    return true;
  });
  if (missing.size > 0) throw formError("a node must give each tensor asked for", `none for ${[...missing]}`);
  return kept.reverse();
}

function text({ payload }: Field): string {
  return new TextDecoder().decode(payload);
}

function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0;
  while (at < message.length) {
    const tag = readVarint(message, at), wireType = tag.value % 8;
    let start = tag.end, end: number;
    if (wireType === VARINT) {
      end = readVarint(message, start).end;
    } else if (wireType === LENGTH_PREFIXED) {
      const length = readVarint(message, start);
      start = length.end;
      end = start + length.value;
    } else if (FIXED[wireType] !== undefined) {
      end = start + FIXED[wireType];
    } else {
      throw formError("wire types must be 0, 1, 2 or 5", wireType);
    }
    if (end > message.length) throw formError(`a field must end by byte ${message.length}`, end);
    yield {
      number: Math.floor(tag.value / 8),
      bytes: message.subarray(at, end),
      payload: message.subarray(start, end),
    };
    at = end;
  }
}

function readVarint(message: Uint8Array, at: number): { value: number; end: number } {
  let value = 0, end = at, factor = 1;
  do {
    if (end >= message.length) throw formError(`a field must end by byte ${message.length}`, end + 1);
    value += (message[end] & 127) * factor;
    factor *= 128;
  } while (message[end++] > 127);
  return { value, end };
}

function prefixed(number: number, payload: Uint8Array): Uint8Array {
  return concatenate([
    Uint8Array.from([...varint(number * 8 + LENGTH_PREFIXED), ...varint(payload.length)]),
    payload,
  ]);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 | 128);
  return [...bytes, value];
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function formError(rule: string, value: unknown): TypeError {
  return new TypeError(`Cannot read the ONNX model: ${rule}: current value is ${value}`);
}
